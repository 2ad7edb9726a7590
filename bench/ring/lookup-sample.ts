import HashRing from 'hashring';
import xxhash from 'xxhash-wasm';
import { buildRing } from '../../packages/ring/src/index.js';
import { hand } from '../kit/fresh-process.js';

const members = Array.from({ length: 1000 }, (_, i) => ({ id: `node-${i}` }));
const keys = Array.from({ length: 200_000 }, (_, i) => `user-${i}`);

/** Ours, or hashring's own with the same hash function, explicit virtual nodes and its cache at 1. */
async function ownerBy(contender: string | undefined): Promise<(key: string) => string | undefined> {
  if (contender === 'ring') {
    const ring = buildRing(members);
    return (key) => ring.owner(key);
  }
  const { h32 } = await xxhash();
  const digest = (label: string): Buffer => {
    const bytes = Buffer.allocUnsafe(4);
    bytes.writeUInt32LE(h32(label, 0), 0);
    return bytes;
  };
  const servers = Object.fromEntries(members.map(({ id }) => [id, { vnodes: 512 }]));
  const ring = new HashRing(servers, digest, { replicas: 1, 'vnode count': 0, 'max cache size': 1 });
  return (key) => ring.get(key);
}

const owner = await ownerBy(process.argv[2]);
let unowned = 0;
const start = process.hrtime.bigint();
for (const key of keys) if (owner(key) === undefined) unowned++;
const elapsedNs = Number(process.hrtime.bigint() - start);
if (unowned > 0) throw new Error(`${unowned} keys have no owner`);
hand({ nsPerLookup: elapsedNs / keys.length });
