import { buildRing } from '../../packages/ring/src/index.js';
import { hand } from '../kit/fresh-process.js';

const members = Array.from({ length: 1000 }, (_, i) => ({ id: `node-${i}` }));
const joined = [...members, { id: 'newcomer' }];

const previous = buildRing(members);
const start = process.hrtime.bigint();
const next = process.argv[2] === 'join' ? buildRing(joined, {}, previous) : buildRing(joined);
const elapsedNs = Number(process.hrtime.bigint() - start);
if (next.size !== 1001 * 512) throw new Error(`the ring has ${next.size} points`);
hand({ msPerBuild: elapsedNs / 1e6 });
