import { encodeFirstPart, encodeSecondPart, PinwheelError, Receipts, writePlaces } from '@pinwheel/protocol';
import t from 'tap';
import { BatchAnswer, type Outcome } from '../src/batch-answer.js';

const batch = ['a', 'b', 'c', 'd'];
const later = [1, 3];

function receipts(): Receipts {
  const all = new Receipts(batch.length);
  for (const [i] of batch.entries()) all.set(i, 'delivered', i);
  return all;
}

/** What was said of which messages. */
function coming() {
  const ends: { readonly items: string; readonly outcome: Outcome }[] = [];
  const answer = new BatchAnswer('n1', batch, (items, outcome) =>
    ends.push({ items: items.join(''), outcome }),
  );
  return { answer, ends };
}

function sessionsOf(outcome: Outcome, count: number): readonly (number | undefined)[] {
  if (outcome.kind !== 'answered') throw outcome.error;
  return Array.from({ length: count }, (_, i) => outcome.receipts.receipt(i, 'u').sessions);
}

t.test('an answer in one part says everything at once', async (t) => {
  const { answer, ends } = coming();
  const whole = receipts().encode();
  for (let length = 1; length < whole.length; length++) answer.came(whole.subarray(0, length), {});
  t.same(ends, [], 'and not before');
  answer.whole(whole, {
    'pinwheel-passed-on': writePlaces([2], 4),
    'pinwheel-foreign-users': '7',
    'pinwheel-fingerprint': 'f',
    'pinwheel-turn': '9',
  });
  t.same(
    ends.map(({ items }) => items),
    ['abcd'],
  );
  t.match(ends[0]!.outcome, { receipts: { passedOn: [2] }, foreignUsers: 7, fingerprint: 'f', turn: 9 });
  t.same(sessionsOf(ends[0]!.outcome, 4), [0, 1, 2, 3]);
});

t.test('in two parts, what is known is said as soon as it is there', async (t) => {
  const { answer, ends } = coming();
  const first = encodeFirstPart(receipts(), later);
  const atLast = receipts();
  atLast.notePassedOn([3]);
  const whole = Buffer.concat([first, encodeSecondPart(atLast, later)]);
  const headers = { 'pinwheel-turn': '9' };
  for (let length = 1; length < whole.length; length++) {
    answer.came(whole.subarray(0, length), headers);
    t.equal(ends.length, length < first.length ? 0 : 1, `${length} bytes`);
  }
  answer.whole(whole, headers);
  t.same(
    ends.map(({ items }) => items),
    ['ac', 'bd'],
  );
  t.same(sessionsOf(ends[0]!.outcome, 2), [0, 2]);
  t.same(sessionsOf(ends[1]!.outcome, 2), [1, 3]);
  t.match(ends[0]!.outcome, { receipts: { passedOn: [] }, turn: 9 });
  t.match(ends[1]!.outcome, { receipts: { passedOn: [1] }, turn: 9 }, 'its place among the rest');

  const together = coming();
  together.answer.whole(whole, headers);
  t.same(
    together.ends.map(({ items }) => items),
    ['ac', 'bd'],
    'also when both parts come together',
  );
});

t.test('a failure says something of those who have heard nothing', async (t) => {
  const { answer, ends } = coming();
  answer.came(encodeFirstPart(receipts(), later), {});
  answer.failed(new PinwheelError('deadline', 'late'));
  t.match(ends, [
    { items: 'ac', outcome: { kind: 'answered' } },
    { items: 'bd', outcome: { kind: 'failed', error: { code: 'deadline' }, isRest: true } },
  ]);
  const { answer: other, ends: all } = coming();
  other.failed(new PinwheelError('deadline', 'late'));
  t.match(all, [{ items: 'abcd', outcome: { kind: 'failed', isRest: false } }]);
});

t.test('what cannot be read names the node, and leaves open what became of the batch', async (t) => {
  const nonsense = { code: 'unknown-outcome', message: /node n1 answered nonsense/ };
  const { answer, ends } = coming();
  t.throws(() => answer.whole(Buffer.from('PWR1'), {}), nonsense);
  const first = encodeFirstPart(receipts(), later);
  t.throws(() => coming().answer.came(Buffer.concat([first.subarray(0, 4), Buffer.alloc(4)]), {}), nonsense);
  answer.came(first, {});
  t.throws(() => answer.whole(Buffer.concat([first, Buffer.from('x')]), {}), nonsense);
  t.equal(ends.length, 1);
});
