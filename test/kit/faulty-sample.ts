import { appendFileSync, readFileSync } from 'node:fs';
import { hand } from '../../bench/kit/fresh-process.js';

/** The file has a line for each run. */
const runs = process.argv[2]!;
appendFileSync(runs, 'run\n');
const lines = readFileSync(runs, 'utf8').split('\n').length - 1;
hand({ faults: lines === 3 ? 1000 : 0 });
