import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Ajv } from 'ajv';
import t from 'tap';
import { makeVectors, type Vectors } from '../../../ring-config/make-vectors.js';
import { defaultRingSettings, maxVirtualNodes } from '../src/index.js';

const folder = new URL('../../../ring-config/', import.meta.url);
const read = (name: string): Promise<string> => readFile(new URL(name, folder), 'utf8');
const vectors = JSON.parse(await read('vectors.json')) as Vectors;

t.test('ring.json', async (t) => {
  const schema = JSON.parse(await read('ring.schema.json'));
  const settings = JSON.parse(await read('ring.json'));
  const validate = new Ajv({ allErrors: true, strict: true }).compile(schema);

  await t.test('is valid by its schema', async (t) => {
    t.ok(validate(settings), JSON.stringify(validate.errors));
  });

  await t.test('has the defaults of the code and of the schema', async (t) => {
    const { hash, virtualNodes, migration } = settings;
    t.same({ hash, virtualNodes }, defaultRingSettings);
    t.equal(schema.properties.hash.default, hash);
    t.equal(schema.properties.virtualNodes.default, virtualNodes);
    t.equal(schema.properties.virtualNodes.maximum, maxVirtualNodes);
    t.equal(schema.properties.migration.properties.usersPerSecond.default, migration.usersPerSecond);
  });

  const refused = {
    'a hash that is not known': { ...settings, hash: 'sha1' },
    'no virtual nodes': { ...settings, virtualNodes: 0 },
    'too many virtual nodes': { ...settings, virtualNodes: 4097 },
    'half a virtual node': { ...settings, virtualNodes: 0.5 },
    'a pace of nothing': { ...settings, migration: { usersPerSecond: 0 } },
    'a setting that is not known': { ...settings, replicas: 4 },
    'a list': [],
  };
  for (const [situation, candidate] of Object.entries(refused)) {
    await t.test(`with ${situation} is not valid`, async (t) => t.notOk(validate(candidate)));
  }
});

t.test('vectors.json', async (t) => {
  await t.test('is what the ring makes today', async (t) => {
    t.same(vectors, makeVectors(), 'if this change is meant, every sender in another language breaks');
  });

  await t.test('has at least 40 keys a ring, some of them beyond its last point', async (t) => {
    for (const { name, keys, points } of vectors.rings) {
      t.ok(keys.length >= 40, name);
      t.ok(
        keys.some(({ hash }) => hash > points.at(-1)!.point),
        name,
      );
    }
  });

  await t.test('has keys of as many bytes as a key can have, and none with more', async (t) => {
    const lengths = vectors.rings.flatMap(({ keys }) => keys.map(({ key }) => Buffer.byteLength(key)));
    t.equal(Math.max(...lengths), 256);
    t.ok(Math.min(...lengths) >= 1);
  });
});

t.test('a second resolver, written from the words of the page alone', async (t) => {
  for (const ring of vectors.rings) {
    await t.test(`agrees on: ${ring.name}`, async (t) => {
      const { hash: name, virtualNodes } = ring.settings;
      const hash = (text: string): number => (name === 'md5' ? md5(text) : xxh32(Buffer.from(text)));
      const counts = ring.members
        .filter((member) => !member.draining)
        .map(({ id, weight = 1 }) => ({ id, count: Math.max(1, Math.floor(weight * virtualNodes + 0.5)) }))
        .sort((a, b) => Buffer.compare(Buffer.from(a.id), Buffer.from(b.id)));
      const points = counts
        .flatMap(({ id, count }) =>
          Array.from({ length: count }, (_, i) => ({ point: hash(`${id}-${i}`), id })),
        )
        .sort((a, b) => a.point - b.point || Buffer.compare(Buffer.from(a.id), Buffer.from(b.id)));
      const owner = (key: string): string => {
        const h = hash(key);
        return (points.find(({ point }) => point >= h) ?? points[0]!).id;
      };

      const settings = `hash=${name} virtualNodes=${virtualNodes}`;
      const text = `${settings}\n${counts.map(({ id, count }) => `${id} ${count}\n`).join('')}`;
      t.equal(settings, ring.settingsText);
      t.equal(sha256(settings), ring.settingsDigest);
      t.equal(text, ring.fingerprintText);
      t.equal(sha256(text), ring.fingerprint);
      t.same(
        ring.points.map(({ label, id }) => ({ label, point: hash(label), id })),
        ring.points,
      );
      t.ok(ring.points.every(({ point, id }) => points.some((own) => own.point === point && own.id === id)));
      t.same(
        ring.keys.map(({ key }) => ({ key, hash: hash(key), owner: owner(key) })),
        ring.keys,
      );
    });
  }
});

t.test('the resolver in Python on the page', async (t) => {
  const [, program = ''] = /^```python\n(.*?)^```$/ms.exec(await read('README.md')) ?? [];

  await t.test('is complete in fewer than 60 lines', async (t) => {
    const { length } = program.trimEnd().split('\n');
    t.ok(length > 20 && length < 60, `${length} lines`);
  });

  await t.test('agrees with every vector', async (t) => {
    const script = `${t.testdir()}/resolver.py`;
    await writeFile(script, program);
    const vectorsPath = fileURLToPath(new URL('vectors.json', folder));
    const run = promisify(execFile)('python3', [script, vectorsPath], { timeout: 60_000 });
    const { stdout } = await run.catch((error: Error) => {
      const missing = 'code' in error && error.code === 'ENOENT';
      throw missing
        ? new Error('python3 is not installed; this test runs the resolver of the page with it')
        : error;
    });
    t.equal(stdout, vectors.rings.map(({ name, keys }) => `${name}: ${keys.length} keys\n`).join(''));
  });
});

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

function md5(text: string): number {
  return Number.parseInt(
    createHash('md5').update(text).digest().subarray(0, 4).reverse().toString('hex'),
    16,
  );
}

/** XXH32 with seed 0 in the steps of its specification, in 64-bit arithmetic cut to 32 bits. */
function xxh32(bytes: Buffer): number {
  const [prime1, prime2, prime3, prime4, prime5] = [
    2654435761n,
    2246822519n,
    3266489917n,
    668265263n,
    374761393n,
  ];
  const cut = (value: bigint): bigint => BigInt.asUintN(32, value);
  const rotate = (value: bigint, bits: bigint): bigint => cut((value << bits) | (value >> (32n - bits)));
  const word = (at: number): bigint => BigInt(bytes.readUInt32LE(at));
  let at = 0;
  let acc = prime5;
  if (bytes.length >= 16) {
    let lanes = [cut(prime1 + prime2), prime2, 0n, cut(-prime1)];
    for (; at + 16 <= bytes.length; at += 16) {
      lanes = lanes.map((lane, i) => cut(rotate(cut(lane + word(at + 4 * i) * prime2), 13n) * prime1));
    }
    acc = [1n, 7n, 12n, 18n].reduce((sum, bits, i) => cut(sum + rotate(lanes[i]!, bits)), 0n);
  }
  acc = cut(acc + BigInt(bytes.length));
  for (; at + 4 <= bytes.length; at += 4) acc = cut(rotate(cut(acc + word(at) * prime3), 17n) * prime4);
  for (; at < bytes.length; at++) acc = cut(rotate(cut(acc + BigInt(bytes[at]!) * prime5), 11n) * prime1);
  acc = cut((acc ^ (acc >> 15n)) * prime2);
  acc = cut((acc ^ (acc >> 13n)) * prime3);
  return Number(acc ^ (acc >> 16n));
}
