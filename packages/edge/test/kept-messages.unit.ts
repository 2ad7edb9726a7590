import t from 'tap';
import { KeptMessages, maxKeptMessages, maxUnanswered } from '../src/link/kept-messages.js';

const sizes = (kept: KeptMessages): readonly number[] => [...kept.frames()].map(({ length }) => length);

t.test('a send that is asked for again takes room once', async (t) => {
  const kept = new KeptMessages();
  for (let i = 0; i < 5; i++) kept.awaitReceipt(1, new Uint8Array(40_000));
  kept.awaitReceipt(2, new Uint8Array(20_000));
  t.same(sizes(kept), [40_000, 20_000]);
  t.equal(kept.bytes, 60_000);
});

t.test('one that is answered gives its room back', async (t) => {
  const kept = new KeptMessages();
  kept.awaitReceipt(1, new Uint8Array(60_000));
  kept.answered(1);
  kept.awaitReceipt(2, new Uint8Array(60_000));
  kept.awaitReceipt(3, new Uint8Array(5000));
  t.same(sizes(kept), [60_000, 5000]);
});

t.test('what no node has processed comes first: others have the room that it leaves', async (t) => {
  await t.test('in messages', async (t) => {
    const kept = new KeptMessages();
    for (let number = 1; number <= maxUnanswered; number++) kept.awaitReceipt(number, new Uint8Array(10));
    for (let i = 0; i < maxKeptMessages - 6; i++) t.ok(kept.add(1000 + i, new Uint8Array(20), false));
    t.same(sizes(kept).slice(0, 7), [10, 10, 10, 10, 10, 10, 20]);
  });

  await t.test('in bytes', async (t) => {
    const kept = new KeptMessages();
    for (const number of [1, 2]) kept.awaitReceipt(number, new Uint8Array(20_000));
    for (let i = 0; i < 4; i++) kept.add(10 + i, new Uint8Array(60_000), false);
    t.same(sizes(kept), [20_000, 60_000, 60_000, 60_000, 60_000]);
    kept.add(20, new Uint8Array(20_000), false);
    t.same(sizes(kept), [60_000, 60_000, 60_000, 60_000, 20_000]);
  });
});
