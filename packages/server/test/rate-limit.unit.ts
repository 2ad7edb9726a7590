import t from 'tap';
import { RateLimit } from '../src/index.js';

t.test('a second’s worth may come at once, and then as much as time passes', async (t) => {
  const rate = new RateLimit({ messagesPerSecond: 10, bytesPerSecond: 1000 }, 0);
  const steps: readonly (readonly [atMs: number, messages: number, bytes: number, taken: boolean, string])[] =
    [
      [0, 10, 100, true, 'a second’s worth of messages'],
      [0, 1, 0, false, 'one more'],
      [50, 1, 0, false, 'half a message later'],
      [100, 1, 0, true, 'a message later: what was refused is not counted'],
      [100, 0, 950, true, 'bytes have a bound of their own'],
      [100, 0, 100, false, 'and no more than it'],
      [200, 2, 0, false, 'two when there is room for one'],
      [200, 1, 50, true, 'one'],
      [60_000, 10, 1000, true, 'a long pause saves up one second’s worth'],
      [60_000, 1, 0, false, 'and no more'],
      [120_000, 1, 1001, false, 'what is over the bound of a second is never taken'],
    ];
  for (const [atMs, messages, bytes, taken, what] of steps) {
    t.equal(rate.take(atMs, messages, bytes), taken, what);
  }
});

t.test('0 is no bound', async (t) => {
  const rate = new RateLimit({ messagesPerSecond: 0, bytesPerSecond: 0 }, 0);
  for (let at = 0; at < 3; at++) t.equal(rate.take(at, 1_000_000, 2 ** 40), true);
});
