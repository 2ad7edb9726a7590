import t from 'tap';
import { Arrivals } from '../src/load/arrivals.js';
import { numberedMessage } from '../src/load/message-number.js';
import { latenciesOf, slicesOf } from '../src/run/arrival-times.js';
import { timelineOf } from '../src/run/change-phase.js';
import type { ArrivalSlice } from '../src/run/clients-questions.js';
import { receiptMeaning } from '../src/run/sender-questions.js';
import { secondsToSteady } from '../src/run/steadiness.js';
import { truthOf } from '../src/run/truth.js';

const { taken, refused, inDoubt } = receiptMeaning;

t.test('what came is held against what the receipts say', async (t) => {
  const statuses = Uint8Array.of(taken, taken, taken, refused, refused, inDoubt, inDoubt);
  const counts = Uint8Array.of(1, 3, 0, 0, 1, 0, 1);
  t.same(truthOf(statuses, counts), { sent: 7, delivered: 4, lost: 1, duplicated: 2, refused: 2 });
  t.same(truthOf(new Uint8Array(0), new Uint8Array(0)), {
    sent: 0,
    delivered: 0,
    lost: 0,
    duplicated: 0,
    refused: 0,
  });
});

t.test('a message is timed from when it was due, not from when it was sent', async (t) => {
  const arrivals = new Arrivals();
  const take = arrivals.ofUser();
  for (const number of [10, 11, 13]) {
    const bytes = Buffer.from(numberedMessage(number));
    take(bytes, 0, bytes.length);
  }
  // 100 a second from 5 s on: due at 5.00, 5.01, 5.02 and 5.03 s
  arrivals.micros.set([5_002_000, 5_015_000, 0, 5_130_000], 10);
  const schedule = { from: 10, to: 14, startMicros: 5_000_000, perSecond: 100 };
  const { latencyMs, curve } = latenciesOf(arrivals, schedule);
  const isNear = (ms: number, wanted: number): boolean => Math.abs(ms / wanted - 1) < 0.002;
  t.ok(isNear(latencyMs.p50, 5), String(latencyMs.p50));
  t.ok(isNear(latencyMs.max, 100), String(latencyMs.max));
  t.same(
    curve.map(([share]) => share),
    curve.map(([share]) => share).toSorted((a, b) => a - b),
    'the curve rises',
  );
  const slices = slicesOf(arrivals, schedule, 50);
  t.same(
    slices.map(({ due, arrived }) => ({ due, arrived })),
    [
      { due: 2, arrived: 2 },
      { due: 2, arrived: 1 },
    ],
  );
  t.ok(isNear(slices[1]!.p99Ms!, 100));
});

t.test('steady again is the first second in which all came and none was late', async (t) => {
  const well: ArrivalSlice = { due: 10, arrived: 10, p99Ms: 5 };
  const late: ArrivalSlice = { due: 10, arrived: 10, p99Ms: 500 };
  const short: ArrivalSlice = { due: 10, arrived: 9, p99Ms: 5 };
  const cases: readonly (readonly [string, readonly ArrivalSlice[], number | undefined])[] = [
    ['at once', Array(40).fill(well), 0],
    [
      'late for half a second',
      [...Array(20).fill(well), ...Array(5).fill(late), ...Array(15).fill(well)],
      0.5,
    ],
    ['something missing after a while', [...Array(25).fill(well), short, ...Array(14).fill(well)], 0.6],
    ['never', [...Array(20).fill(well), ...Array(20).fill(late)], undefined],
    ['too late to tell', [...Array(31).fill(well).fill(short, 20, 31), ...Array(9).fill(well)], undefined],
  ];
  for (const [name, slices, seconds] of cases) t.equal(secondsToSteady(slices, 10, 2), seconds, name);
});

t.test('the second from the change on holds the change', async (t) => {
  const slices = Array.from(
    { length: 60 },
    (_, i): ArrivalSlice => ({ due: 10, arrived: i === 30 ? 0 : 10 }),
  );
  t.same(
    timelineOf(slices, 3.004).map(({ second, sent, delivered }) => [second, sent, delivered]),
    [
      [-3, 100, 100],
      [-2, 100, 100],
      [-1, 100, 100],
      [0, 100, 90],
      [1, 100, 100],
      [2, 100, 100],
    ],
  );
});
