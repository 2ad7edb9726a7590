import { chmodSync, renameSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import {
  boundHeaders,
  checkBody,
  KeyRing,
  openKeyFile,
  type ProvenCall,
  ReplayWindow,
  Signer,
  Verifier,
} from '../src/index.js';

const secret = (letter: string): string => letter.repeat(32);
const ring = (...ids: string[]): { current: KeyRing } => ({
  current: KeyRing.parse(JSON.stringify({ keys: ids.map((id) => ({ id, secret: secret(id) })) })),
});
const call: ProvenCall = {
  method: 'POST',
  target: '/v1/messages?a=1',
  to: 'n1',
  headers: boundHeaders(() => ''),
};

t.test('what was signed is verified, once, and nothing else is', async (t) => {
  const text = fc.string({ unit: 'binary-ascii', maxLength: 40 }).filter((one) => !/[\r\n]/.test(one));
  const calls = fc.record({
    method: fc.constantFrom('GET', 'POST', 'DELETE'),
    target: text,
    to: text,
    headers: text,
  });
  fc.assert(
    fc.property(calls, calls, fc.uint8Array(), fc.uint8Array(), (one, other, body, otherBody) => {
      const keys = ring('a', 'b');
      const verifier = new Verifier(keys, () => 5000);
      const proof = new Signer(keys, () => 5000).sign(one, body);
      const isSame = (['method', 'target', 'to', 'headers'] as const).every(
        (name) => one[name] === other[name],
      );
      if (!isSame) t.throws(() => verifier.verify(other, proof), { code: 'not-authenticated' });
      const digest = verifier.verify(one, proof);
      checkBody(digest, body);
      if (Buffer.compare(body, otherBody) !== 0) t.throws(() => checkBody(digest, otherBody));
      t.throws(() => verifier.verify(one, proof), { message: 'the proof was used before' });
    }),
    { numRuns: 300 },
  );
});

t.test('a proof that was changed anywhere is none', async (t) => {
  const keys = ring('a');
  const proof = new Signer(keys, () => 0).sign(call, 'body');
  const verifier = new Verifier(keys, () => 0);
  for (let i = 0; i < proof.length; i++) {
    for (const c of ['A', 'z', '0', '.', '_', ' ']) {
      const changed = proof.slice(0, i) + c + proof.slice(i + 1);
      if (changed === proof) continue;
      // the last letter of base64url has bits that say nothing
      if (
        i === proof.length - 1 &&
        Buffer.from(changed.slice(-43), 'base64url').equals(Buffer.from(proof.slice(-43), 'base64url'))
      )
        continue;
      t.throws(() => verifier.verify(call, changed), { code: 'not-authenticated' }, changed);
    }
  }
  t.ok(verifier.verify(call, proof));
});

t.test('time', async (t) => {
  const keys = ring('a');
  for (const [made, now, isGood] of [
    [100_000, 100_000, true],
    [100_000, 130_000, true],
    [100_000, 130_001, false],
    [130_000, 100_000, true],
    [130_001, 100_000, false],
    [0, 100_000, false],
  ] as const) {
    const proof = new Signer(keys, () => made).sign(call);
    const verify = () => new Verifier(keys, () => now, 0).verify(call, proof);
    if (isGood) t.ok(verify(), `${made} at ${now}`);
    else t.throws(verify, { message: /ms old; it must be within 30000/ }, `${made} at ${now}`);
  }
});

t.test('a process takes no proof that was made before it started: it may have been used', async (t) => {
  const keys = ring('a');
  let now = 100_000;
  const signer = new Signer(keys, () => now);
  const recorded = signer.sign(call);
  const before = new Verifier(keys, () => now);
  t.ok(before.verify(call, recorded));
  now += 1;
  const after = new Verifier(keys, () => now);
  t.throws(() => after.verify(call, recorded), {
    code: 'not-authenticated',
    message: /made 1 ms before this process started/,
  });
  t.ok(after.verify(call, signer.sign(call)), 'one that is made anew is taken');
});

t.test('the clock was ahead at the start and is set right: proofs are taken again at once', async (t) => {
  const keys = ring('a');
  let [now, uptime] = [7_300_000, 500];
  const verifier = new Verifier(
    keys,
    () => now,
    now,
    new ReplayWindow(),
    () => uptime,
  );
  [now, uptime] = [160_000, 60_500];
  const signer = new Signer(keys, () => now);
  t.ok(verifier.verify(call, signer.sign(call)));
  const atStart = new Signer(keys, () => 100_000 - 1).sign(call);
  now = 120_000;
  uptime = 20_500;
  t.throws(() => verifier.verify(call, atStart), { message: /made 1 ms before this process started/ });
});

t.test('keys change one after the other, and no proof is refused', async (t) => {
  const sides = { signer: ring('a'), verifier: ring('a') };
  const signer = new Signer({
    get current() {
      return sides.signer.current;
    },
  });
  const verifier = new Verifier({
    get current() {
      return sides.verifier.current;
    },
  });
  for (const [signs, verifies] of [
    [['a'], ['a']],
    [['a'], ['a', 'b']],
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
    [
      ['b', 'a'],
      ['a', 'b'],
    ],
    [
      ['b', 'a'],
      ['b', 'a'],
    ],
    [['b'], ['b', 'a']],
    [['b'], ['b']],
  ] as const) {
    sides.signer = ring(...signs);
    sides.verifier = ring(...verifies);
    t.ok(verifier.verify(call, signer.sign(call)), `${signs} to ${verifies}`);
  }
  sides.signer = ring('a');
  t.throws(() => verifier.verify(call, signer.sign(call)), { message: /key a, which is unknown here/ });
});

t.test('the replay window agrees with a set of everything that was used', async (t) => {
  const steps = fc.array(fc.tuple(fc.constantFrom('p', 'q'), fc.integer({ min: 1, max: 70_000 })), {
    maxLength: 300,
  });
  fc.assert(
    fc.property(steps, (uses) => {
      const window = new ReplayWindow();
      const used = new Set<string>();
      const highest = new Map<string, number>();
      for (const [process, number] of uses) {
        const name = `${process} ${number}`;
        const isOld = number <= (highest.get(process) ?? 0) - 65_536;
        const expected = used.has(name) || isOld ? 'seen' : 'fresh';
        if (window.use(process, number, 1, 0) !== expected) throw new Error(`${name} must be ${expected}`);
        used.add(name);
        highest.set(process, Math.max(highest.get(process) ?? 0, number));
      }
    }),
  );
  const small = new ReplayWindow(2);
  t.equal(small.use('a', 1, 10, 0), 'fresh');
  t.equal(small.use('b', 1, 20, 0), 'fresh');
  t.equal(small.use('c', 1, 30, 0), 'full', 'nobody is forgotten whose proofs are still good');
  t.equal(small.use('c', 1, 30, 11), 'fresh');
  t.equal(small.use('a', 1, 30, 11), 'full');
  t.equal(small.size, 2);
});

t.test('what is no set of keys', async (t) => {
  const a = { id: 'a', secret: secret('a') };
  for (const [text, message] of [
    ['', /not JSON/],
    ['secret-secret', /not JSON/],
    ['null', /must be \{"keys"/],
    ['[]', /must be/],
    ['{"keys":[]}', /1 to 4 keys/],
    ['{"keys":[null]}', /must be/],
    [JSON.stringify({ keys: [a, a] }), /key a is there twice/],
    [JSON.stringify({ keys: [1, 2, 3, 4, 5].map((n) => ({ ...a, id: `k${n}` })) }), /1 to 4/],
    [JSON.stringify({ keys: [{ ...a, id: 'a.b' }] }), /id must be/],
    [JSON.stringify({ keys: [{ id: 'a' }] }), /has 0 bytes/],
    [
      JSON.stringify({ keys: [{ id: 'a', secret: 'x'.repeat(31) }] }),
      /has 31 bytes; it must be a text of 32 to 1024/,
    ],
    [JSON.stringify({ keys: [{ id: 'a', secret: 'x'.repeat(1025) }] }), /has 1025 bytes/],
  ] as const) {
    t.throws(() => KeyRing.parse(text), { code: 'bad-option', message }, text);
  }
});

t.test('a file of keys', async (t) => {
  const path = `${t.testdir()}/keys.json`;
  const write = (mode: number, ...ids: string[]): void => {
    const text = JSON.stringify({ keys: ids.map((id) => ({ id, secret: secret(id) })) });
    writeFileSync(`${path}.new`, ids.length === 0 ? 'broken' : text);
    chmodSync(`${path}.new`, mode);
    renameSync(`${path}.new`, path);
  };
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  t.throws(() => openKeyFile(path), { code: 'bad-option', message: /cannot be read/ });
  for (const mode of [0o644, 0o640, 0o604, 0o660]) {
    write(mode, 'a');
    t.throws(() => openKeyFile(path), { message: /only its owner may read it: chmod 600/ }, mode.toString(8));
  }
  write(0o600, 'a');
  const said: string[] = [];
  const log = (_: object, text: string): void => void said.push(text);
  const keys = openKeyFile(path, { info: log, warn: log });
  t.teardown(() => keys.close());
  t.same(keys.current.ids, ['a']);
  write(0o600, 'b', 'a');
  await until(() => keys.current.first.id === 'b');
  t.same(keys.current.ids, ['b', 'a']);
  write(0o600);
  await until(() => said.some((line) => line.includes('the last keys stay good')));
  write(0o644, 'c');
  await until(() => said.some((line) => line.includes('has mode 644')));
  t.equal(keys.current.first.id, 'b');
  t.notMatch(said.join(), /aaaa|bbbb/);
});
