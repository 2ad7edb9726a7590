import { type Key, KeyRing } from '@pinwheel/trust';
import t from 'tap';
import { ProvenMembers } from '../src/consul/proven-members.js';
import type { Member } from '../src/member/contract.js';

const member = (id: string, incarnation = 'i1', port = 7001): Member => ({
  id,
  address: '10.0.0.1',
  port,
  weight: 1,
  draining: false,
  kind: 'node',
  incarnation,
});

const keysOf = (...ids: string[]): KeyRing =>
  KeyRing.parse(JSON.stringify({ keys: ids.map((id) => ({ id, secret: id.repeat(32) })) }));
const keyA = keysOf('a').first;
const keyB = keysOf('b').first;

/** Members whose answers and whose time a test decides. */
function situation() {
  /** Each is answered with the key by which it has proven itself, or with why it has not. */
  const asked: { readonly id: string; readonly answer: (said?: Key | string) => Promise<void> }[] = [];
  const timers: { readonly at: number; readonly call: () => void }[] = [];
  let now = 0;
  let changes = 0;
  const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
  const proven = new ProvenMembers({
    ask: ({ id }) =>
      new Promise((resolve) => {
        asked.push({
          id,
          answer: (said = keyA) => {
            resolve(said);
            return settled();
          },
        });
      }),
    clock: {
      now: () => now,
      after: (delayMs, call) => {
        const timer = { at: now + delayMs, call };
        timers.push(timer);
        return () => void timers.splice(timers.indexOf(timer), timers.includes(timer) ? 1 : 0);
      },
    },
    random: () => 1,
    changed: () => changes++,
  });
  const pass = (ms: number): void => {
    now += ms;
    for (const timer of timers.filter(({ at }) => at <= now)) {
      timers.splice(timers.indexOf(timer), 1);
      timer.call();
    }
  };
  const inside = (members: readonly Member[]) => proven.split(members).members.map(({ id }) => id);
  return { proven, asked, pass, inside, timers, changes: () => changes };
}

t.test('who has proven that it has a key is in, the others wait outside, each with its reason', async (t) => {
  const { proven, asked, inside, changes, pass } = situation();
  const members = [member('a'), member('b')];
  proven.follow(members);
  t.equal(proven.isHeld, true, 'the first list waits for the answers');
  t.same(inside(members), []);
  await asked[0]!.answer();
  t.equal(proven.isHeld, true);
  t.equal(changes(), 0);
  await asked[1]!.answer('it has none');
  t.equal(proven.isHeld, false);
  t.equal(changes(), 1);
  t.same(inside(members), ['a']);
  t.same(proven.split(members).ignored, [{ id: 'b', reason: 'it has none' }]);

  pass(1000);
  t.same(asked[2]!.id, 'b', 'it is asked again');
  t.equal(proven.isHeld, false, 'and nobody waits for that');
  await asked[2]!.answer('it has none');
  pass(500);
  t.equal(changes(), 1, 'that nothing has changed is told to nobody');
  pass(1500);
  await asked[3]!.answer();
  t.equal(changes(), 1);
  pass(100);
  t.equal(changes(), 2);
  t.same(inside(members), ['a', 'b']);
});

t.test('nobody waits longer than a second for a member that does not answer', async (t) => {
  const { proven, asked, inside, changes, pass } = situation();
  const members = [member('a'), member('silent')];
  proven.follow(members);
  await asked[0]!.answer();
  pass(999);
  t.same([proven.isHeld, changes()], [true, 0]);
  pass(1);
  t.same([proven.isHeld, changes()], [false, 1]);
  t.same(inside(members), ['a']);
});

t.test('whoever waits for the answers is told once, behind everybody else', async (t) => {
  const { proven, asked, changes, pass } = situation();
  await proven.released();
  t.pass('nothing is awaited');
  let told: number | undefined;
  const wait = async (): Promise<void> => {
    told = undefined;
    await proven.released();
    told = changes();
  };
  proven.follow([member('a'), member('b')]);
  void wait();
  await asked[0]!.answer();
  t.equal(told, undefined);
  await asked[1]!.answer('no');
  t.equal(told, 1);
  proven.follow([member('a'), member('b'), member('c')]);
  void wait();
  pass(1000);
  await Promise.resolve();
  t.equal(told, 2, 'after a second at the latest');
  proven.follow([member('d')]);
  const waiting = wait();
  proven.close();
  await waiting;
  t.equal(told, 2, 'and when it is closed');
});

t.test('proven for an incarnation and a place, and forgotten with the entry', async (t) => {
  const { proven, asked, inside } = situation();
  const first = member('a');
  proven.follow([first]);
  await asked[0]!.answer();
  proven.follow([first]);
  t.equal(asked.length, 1, 'it is not asked again');
  for (const [i, other] of [member('a', 'i2'), member('a', 'i2', 7002), first].entries()) {
    proven.follow([other]);
    t.same(inside([other]), [], `${other.incarnation} at ${other.port}`);
    await asked[i + 1]!.answer();
    t.same(inside([other]), ['a']);
  }
  proven.follow([member('b')]);
  const late = asked.at(-1)!;
  proven.follow([]);
  await late.answer();
  proven.follow([member('b')]);
  t.same(inside([member('b')]), [], 'an answer that comes after the entry has gone is nobody’s');
});

t.test('a thousand that do not prove it are told of once a second, not one by one', async (t) => {
  const { proven, asked, pass, changes } = situation();
  proven.follow(Array.from({ length: 1000 }, (_, i) => member(`m${i}`)));
  for (let i = 0; i < 500; i++) await asked[i]!.answer('no');
  t.equal(changes(), 0);
  pass(1000);
  t.equal(changes(), 1);
  for (let i = 500; i < 999; i++) await asked[i]!.answer('no');
  t.equal(changes(), 1);
  pass(1000);
  t.equal(changes(), 2);
});

t.test('pauses grow to half a minute, and at most 64 are asked at a time', async (t) => {
  const { proven, asked, pass, timers } = situation();
  const many = Array.from({ length: 200 }, (_, i) => member(`m${i}`));
  proven.follow(many);
  t.equal(asked.length, 64);
  await asked[0]!.answer('no');
  t.equal(asked.length, 65);
  proven.follow([member('m1')]);
  t.equal(timers.length, 1, 'the hold is left: who has gone is not waited for');
  const pauses: number[] = [];
  let next = asked[1]!;
  for (let i = 0; i < 7; i++) {
    const before = asked.length;
    await next.answer('no');
    let waited = 0;
    while (asked.length === before) {
      pass(1000);
      waited += 1000;
    }
    pauses.push(waited);
    next = asked.at(-1)!;
  }
  t.same(pauses, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  proven.close();
  await next.answer('no');
  t.equal(timers.length, 0, 'nothing is left of it');
});

t.test('a key that is taken out: who came in by it is asked again, and is in meanwhile', async (t) => {
  const { proven, asked, inside, changes, pass } = situation();
  const members = ['by-a', 'by-b', 'leaked'].map((id) => member(id));
  proven.follow(members);
  await asked[0]!.answer(keyA);
  await asked[1]!.answer(keyB);
  await asked[2]!.answer(keyA);
  proven.keysChanged(keysOf('b', 'a'));
  t.equal(asked.length, 3, 'the order of the keys says nothing');
  proven.keysChanged(keysOf('b'));
  t.same(
    asked.slice(3).map(({ id }) => id),
    ['by-a', 'leaked'],
  );
  proven.follow(members);
  t.equal(proven.isHeld, false, 'nobody waits for their answers');
  await asked[3]!.answer(keyB);
  await asked[4]!.answer('its proof is wrong');
  pass(1000);
  await asked[5]!.answer('its proof is wrong');
  pass(2000);
  t.same([inside(members), changes()], [['by-a', 'by-b', 'leaked'], 1], 'one that was busy may answer yet');
  await asked[6]!.answer('its proof is wrong');
  pass(100);
  t.same([inside(members), changes()], [['by-a', 'by-b'], 2]);
  t.same(proven.split(members).ignored, [{ id: 'leaked', reason: 'its proof is wrong' }]);
  pass(4000);
  await asked[7]!.answer(keyB);
  pass(100);
  t.same([inside(members), changes()], [['by-a', 'by-b', 'leaked'], 3]);
});

t.test('another secret under the id of a key is another key', async (t) => {
  const { proven, asked } = situation();
  proven.follow([member('m')]);
  await asked[0]!.answer(keyA);
  const text = JSON.stringify({ keys: [{ id: 'a', secret: 'z'.repeat(32) }] });
  proven.keysChanged(KeyRing.parse(text));
  t.equal(asked.length, 2);
});
