import { createHash } from 'node:crypto';
import { chmodSync, renameSync, writeFileSync } from 'node:fs';
import t from 'tap';
import {
  ApiKeyGate,
  ApiKeySet,
  apiScopes,
  type ApiKeyGate as Gate,
  newApiKey,
  openApiKeyFile,
} from '../src/index.js';

const secretOf = (id: string): string => createHash('sha256').update(id).digest('base64url');
const hash = (secret: string): string => createHash('sha256').update(secret).digest('hex');
const entry = (id: string, more: object = {}): object => ({
  id,
  hash: hash(secretOf(id)),
  scopes: ['send'],
  ...more,
});
const setOf = (...keys: object[]): ApiKeySet => ApiKeySet.parse(JSON.stringify({ keys }));
const bearer = (id: string, secret = secretOf(id)) => ({
  authorization: [`Bearer pwk_${id}_${secret}`],
  query: '',
});

t.test('a new key is let in with what the set knows of it, which is not its secret', async (t) => {
  const { key, hash: kept } = newApiKey('new-1');
  const gate = new ApiKeyGate({ current: setOf({ id: 'new-1', hash: kept, scopes: ['admin'] }) });
  t.equal(gate.admit({ authorization: [`Bearer ${key}`], query: '' }, 'admin').id, 'new-1');
  t.equal(gate.admit({ authorization: [`bearer  ${key}`], query: 'a=b' }, 'any').id, 'new-1');
  t.not(newApiKey('new-1').key, key);
});

t.test('what is no key', async (t) => {
  const set = setOf(entry('a'), entry('b'), entry('old', { expiresAt: '2026-01-01T00:00:00Z' }));
  const gate = new ApiKeyGate({ current: set }, () => Date.parse('2026-01-01T00:00:00Z'));
  const one = (authorization: string, query = '') => ({ authorization: [authorization], query });
  const good = `Bearer pwk_a_${secretOf('a')}`;
  t.equal(gate.admit(one(good), 'send').id, 'a');
  const refused: readonly (readonly [{ authorization: string[]; query: string }, RegExp])[] = [
    [{ authorization: [], query: '' }, /an API key is missing/],
    [{ authorization: [good, good], query: '' }, /2 Authorization headers/],
    [one(good, `key=pwk_a_${secretOf('a')}`), /in the URL/],
    [one(''), /must be: Bearer/],
    [one('Bearer'), /must be: Bearer/],
    [one(`Basic pwk_a_${secretOf('a')}`), /must be: Bearer/],
    [one(`pwk_a_${secretOf('a')}`), /must be: Bearer/],
    [one(`Bearer a_${secretOf('a')}`), /must be: Bearer/],
    [one('Bearer pwk_a_'), /must be: Bearer/],
    [one(`Bearer pwk_a_${'x'.repeat(31)}`), /must be: Bearer/],
    [one(`${good} `), /must be: Bearer/],
    [one(`${good},${good}`), /must be: Bearer/],
    [one(`${good}\u0000`), /must be: Bearer/],
    [one(`Bearer pwk_${'a'.repeat(65)}_${secretOf('a')}`), /must be: Bearer/],
    [one(`Bearer pwk_a_${'x'.repeat(1_000_000)}`), /must be: Bearer/],
    [one(`Bearer pwk_c_${secretOf('c')}`), /not known/],
    [one(`Bearer pwk_a_${secretOf('b')}`), /not known/],
    [one(`Bearer pwk_b_${secretOf('a')}`), /not known/],
    [one(`Bearer pwk_A_${secretOf('a')}`), /not known/],
    [one(`${good.slice(0, -1)}x`), /not known/],
    [one(`Bearer pwk_a_${hash(secretOf('a'))}`), /not known/],
    [one(`Bearer pwk___proto___${secretOf('a')}`), /must be: Bearer/],
    [one(`Bearer pwk_constructor_${secretOf('a')}`), /not known/],
    [one(`Bearer pwk_old_${secretOf('old')}`), /old expired at 2026-01-01T00:00:00.000Z/],
    [one(`Bearer pwk_old_${secretOf('a')}`), /not known/],
  ];
  for (const [call, message] of refused) {
    const error = t.throws(() => gate.admit(call, 'send'), { code: 'not-authenticated', message });
    const said = String((error as unknown as Error).message);
    t.notOk(said.includes(secretOf('a')) || said.includes(secretOf('old')), 'without the secret');
  }
  t.same(gate.decisions, {
    accepted: 1,
    'not-authenticated': refused.length,
    'not-allowed': 0,
    'limit-reached': 0,
  });
});

t.test('a scope opens what needs it, and nothing else', async (t) => {
  for (const has of apiScopes) {
    const gate = new ApiKeyGate({ current: setOf(entry('a', { scopes: [has] })) });
    for (const needs of apiScopes) {
      const admit = () => gate.admit(bearer('a'), needs);
      if (has === needs) t.equal(admit().id, 'a', has);
      else t.throws(admit, { code: 'not-allowed', message: `lacks the scope ${needs}` }, `${has}, ${needs}`);
    }
    t.throws(() => gate.admit(bearer('a'), { refused: 'nobody may' }), { message: 'nobody may' });
  }
});

t.test('the rate of a key', async (t) => {
  let now = 0;
  const source = { current: setOf(entry('a', { sendsPerSecond: 10, burst: 20 }), entry('b')) };
  const gate: Gate = new ApiKeyGate(source, Date.now, () => now);
  const spend = (id: string, messages: number) => gate.admit(bearer(id), 'send').spend(messages);
  const taken = (messages: number): unknown =>
    t.doesNotThrow(() => spend('a', messages), `${messages} at ${now}`);
  const refused = (messages: number, retryAfterMs: number): unknown =>
    t.throws(() => spend('a', messages), { code: 'limit-reached', retryAfterMs }, `${messages} at ${now}`);
  taken(20);
  refused(1, 100);
  now = 50;
  refused(1, 50);
  now = 100;
  taken(1);
  refused(1, 100);
  t.throws(() => spend('a', 21), { message: /send at most 20 in one call/ });
  now = 500;
  refused(5, 100);
  taken(4);
  now = 1_000_000;
  taken(20);
  refused(1, 100);
  t.doesNotThrow(() => spend('b', 1_000_000), 'a key without a rate');
  t.same(gate.messages, [
    [45, 'a'],
    [1_000_000, 'b'],
  ]);

  source.current = setOf(entry('a', { sendsPerSecond: 10, burst: 20 }));
  refused(1, 100);
  t.same(gate.messages, [[45, 'a']], 'a file that is read again gives nobody a new burst');
  source.current = setOf(entry('b'));
  t.throws(() => spend('a', 1), { code: 'not-authenticated' });
  spend('b', 1);
  t.same(gate.messages, [[1, 'b']], 'a key that was away begins anew');
});

t.test('bodies of callers with keys have a bound together, and those of one key another', async (t) => {
  const gate = new ApiKeyGate({ current: setOf(entry('a'), entry('b'), entry('c')) });
  const mib = 1_048_576;
  const [a, b, c] = ['a', 'b', 'c'].map((id) => gate.admit(bearer(id), 'send'));
  const ofA = [a!.reserve(16 * mib), a!.reserve(16 * mib)];
  t.throws(() => a!.reserve(1), {
    code: 'overloaded',
    message: /33554432 bytes .* the API key a; 33554432 is/,
  });
  b!.reserve(32 * mib);
  t.throws(() => c!.reserve(1), { code: 'overloaded', message: /67108864 bytes .* API keys; 67108864 is/ });
  ofA[0]!();
  ofA[0]!();
  c!.reserve(16 * mib);
  t.throws(() => c!.reserve(1), { code: 'overloaded' }, 'room is given back once');
  ofA[1]!();
  const read = a!.reserve(16 * mib);
  read(mib);
  read(16 * mib);
  c!.reserve(15 * mib);
  t.throws(() => c!.reserve(1), { code: 'overloaded' }, 'what is left of it is held');
  read();
  c!.reserve(mib);
  t.throws(() => c!.reserve(1), { code: 'overloaded' });
});

t.test('what is no set of API keys', async (t) => {
  const parse = (...keys: unknown[]) => JSON.stringify({ keys });
  const refused: readonly (readonly [string, RegExp])[] = [
    ['', /not JSON/],
    [secretOf('a'), /not JSON/],
    ['null', /must be \{"keys"/],
    ['[]', /must be/],
    ['{"keys":{}}', /must be/],
    [parse(null), /must be/],
    [parse(entry('a'), entry('a')), /a is there twice/],
    [parse(entry('a'), { ...entry('a'), id: 'b' }), /hash of key b is that of another key/],
    [parse(...Array.from({ length: 257 }, (_, i) => entry(`k${i}`))), /at most 256/],
    [parse(entry('a_b')), /id must be/],
    [parse(entry('')), /id must be/],
    [parse(entry('a'.repeat(65))), /id must be/],
    [parse(entry('a', { hash: 'x' })), /SHA-256 of its secret/],
    [parse(entry('a', { hash: undefined })), /SHA-256 of its secret/],
    [parse(entry('a', { secret: 'x' })), /unknown field "secret"/],
    [parse(entry('a', { scopes: [] })), /no list with a scope/],
    [parse(entry('a', { scopes: 'send' })), /no list with a scope/],
    [parse(entry('a', { scopes: ['send', 'root'] })), /has "root" in it; known: send, presence/],
    [parse(entry('a', { sendsPerSecond: 0 })), /sendsPerSecond of key a is 0; it must be a whole number/],
    [parse(entry('a', { sendsPerSecond: '5' })), /sendsPerSecond of key a is "5"/],
    [parse(entry('a', { burst: 5 })), /burst without sendsPerSecond/],
    [parse(entry('a', { sendsPerSecond: 5, burst: 1.5 })), /burst of key a is 1.5/],
    [parse(entry('a', { expiresAt: 'soon' })), /expiresAt of key a must be a time/],
    // other moments in other time zones
    [parse(entry('a', { expiresAt: '2027-01-31T00:00' })), /expiresAt of key a must be a time/],
    [parse(entry('a', { expiresAt: '1' })), /expiresAt of key a must be a time/],
    [parse(entry('a', { expiresAt: null })), /expiresAt of key a must be a time/],
  ];
  for (const [text, message] of refused) {
    t.throws(() => ApiKeySet.parse(text), { code: 'bad-option', message }, text.slice(0, 80));
  }
  t.same(setOf(entry('a', { expiresAt: 1 }), entry('b')).ids, ['a', 'b']);
  t.same(setOf().ids, [], 'nobody is let in');
});

t.test('a file of API keys is read again, and one that is broken changes nothing', async (t) => {
  const path = `${t.testdir()}/api-keys.json`;
  const write = (mode: number, text: string): void => {
    writeFileSync(`${path}.new`, text);
    chmodSync(`${path}.new`, mode);
    renameSync(`${path}.new`, path);
  };
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  t.throws(() => openApiKeyFile(path), { code: 'bad-option', message: /api keys: .* cannot be read/ });
  write(0o644, JSON.stringify({ keys: [entry('a')] }));
  t.throws(() => openApiKeyFile(path), { message: /only its owner may read it/ });
  write(0o600, JSON.stringify({ keys: [entry('a')] }));
  const said: string[] = [];
  const log = (fields: object, text: string): void => void said.push(`${text} ${JSON.stringify(fields)}`);
  const file = openApiKeyFile(path, { info: log, warn: log });
  t.teardown(() => file.close());
  const gate = new ApiKeyGate(file);
  t.ok(gate.admit(bearer('a'), 'send'));
  write(0o600, JSON.stringify({ keys: [entry('b')] }));
  await until(() => file.current.get('b') !== undefined);
  t.throws(() => gate.admit(bearer('a'), 'send'), { code: 'not-authenticated' }, 'taken out');
  t.ok(gate.admit(bearer('b'), 'send'));
  write(0o600, 'broken');
  await until(() => said.some((line) => line.includes('the last api keys stay good')));
  t.ok(gate.admit(bearer('b'), 'send'));
});
