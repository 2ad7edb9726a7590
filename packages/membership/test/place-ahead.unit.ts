import { buildRing, defaultRingSettings } from '@pinwheel/ring';
import t from 'tap';
import { PlaceAhead } from '../src/ring/place-ahead.js';

/** Time that a test drives: what is due runs when `run` is called, one call at a time. */
function drivenClock() {
  const calls: (() => void)[] = [];
  const clock = {
    ms: 0,
    now: () => clock.ms,
    after: (_delayMs: number, call: () => void) => {
      calls.push(call);
      return () => {
        if (calls.includes(call)) calls.splice(calls.indexOf(call), 1);
      };
    },
    /** Runs the call that has waited longest; false when there is none. */
    run: () => {
      const call = calls.shift();
      call?.();
      return call !== undefined;
    },
  };
  return clock;
}

const base = buildRing([{ id: 'a', weight: 1 }]);
const joiners = (from: number, count: number, weight: number) =>
  Array.from({ length: count }, (_, i) => ({ id: `j${from + i}`, weight }));

t.test('few points are placed with the ring', async (t) => {
  const clock = drivenClock();
  const ahead = new PlaceAhead(defaultRingSettings, clock, () => t.fail('nothing to wait for'));
  t.equal(ahead.isReady([{ id: 'a', weight: 1 }, ...joiners(0, 128, 1)], base), true);
  t.equal(clock.run(), false);
});

t.test('many are placed some at a time, once, and then the ring is ready', async (t) => {
  const clock = drivenClock();
  let placed = 0;
  const ahead = new PlaceAhead(defaultRingSettings, clock, () => placed++);
  const heavy = joiners(0, 5, 100);
  t.equal(ahead.isReady(heavy, base), false);
  for (let turn = 0; turn < 5; turn++) {
    t.equal(placed, 0);
    t.equal(clock.run(), true);
  }
  t.equal(placed, 1);
  t.equal(clock.run(), false, 'one heavy member a turn');
  t.equal(ahead.isReady(heavy, base), true);

  t.equal(ahead.isReady(joiners(100, 320, 1), base), false);
  let turns = 0;
  while (clock.run()) turns++;
  t.equal(turns, 10, 'thirty-two light ones a turn');
  t.equal(placed, 2);
});

t.test('who joins meanwhile is waited for too, who leaves is not', async (t) => {
  const clock = drivenClock();
  let placed = 0;
  const ahead = new PlaceAhead(defaultRingSettings, clock, () => placed++);
  ahead.isReady(joiners(0, 3, 100), base);
  clock.run();
  t.equal(ahead.isReady(joiners(0, 4, 100), base), false);
  clock.run();
  t.equal(ahead.isReady(joiners(0, 2, 100), base), true);
  t.equal(clock.run(), false);
  t.equal(placed, 0);
});

t.test('the wait has an end, however many join', async (t) => {
  const clock = drivenClock();
  const ahead = new PlaceAhead(defaultRingSettings, clock, () => {});
  t.equal(ahead.isReady(joiners(0, 3, 100), base), false);
  clock.ms = 1_999;
  t.equal(ahead.isReady(joiners(10, 3, 100), base), false);
  clock.ms = 2_000;
  t.equal(ahead.isReady(joiners(20, 3, 100), base), true);
  t.equal(ahead.isReady(joiners(30, 3, 100), base), false, 'and begins anew with the next ring');
});

t.test('closed, it places nobody', async (t) => {
  const clock = drivenClock();
  const ahead = new PlaceAhead(defaultRingSettings, clock, () => t.fail('closed'));
  ahead.isReady(joiners(0, 3, 100), base);
  ahead.close();
  t.equal(clock.run(), false);
});
