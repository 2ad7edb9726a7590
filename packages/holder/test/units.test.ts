import { runUnits } from '../../../test/kit/units.js';

await runUnits(import.meta.url);
