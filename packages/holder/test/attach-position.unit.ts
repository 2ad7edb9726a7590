import type { Position } from '@pinwheel/protocol';
import t from 'tap';
import { Inbox } from '../src/inbox/inbox.js';
import { InboxBudget } from '../src/inbox/inbox-budget.js';
import { attachPosition, isCovered } from '../src/users/attach-position.js';
import type { Absorbed } from '../src/users/user-state.js';

interface Case {
  readonly name: string;
  /** Missing: it begins. */
  readonly positions?: readonly Position[];
  readonly absorbed?: readonly Absorbed[];
  readonly seq: number;
  readonly recovered: boolean;
}

const at = (stream: string, seq: number): Position => ({ stream, seq });

/** The stream `now` with 20 messages, of which 11 to 20 are kept. */
function inboxOfTwenty(): Inbox {
  const inbox = new Inbox(new InboxBudget(100_000), { maxMessages: 256, maxBytes: 65_536 }, 1);
  for (let i = 1; i <= 20; i++) inbox.append(`m${i}`, false, Buffer.from('x'), 1, 1);
  inbox.release(10);
  return inbox;
}

const inbox = inboxOfTwenty();

const cases: readonly Case[] = [
  { name: 'begins: at the end', seq: 20, recovered: true },
  { name: 'has had everything', positions: [at('now', 20)], seq: 20, recovered: true },
  { name: 'is behind, and all of that is kept', positions: [at('now', 15)], seq: 15, recovered: true },
  { name: 'misses exactly what is kept', positions: [at('now', 10)], seq: 10, recovered: true },
  { name: 'misses one more than is kept', positions: [at('now', 9)], seq: 10, recovered: false },
  { name: 'has had nothing of the stream', positions: [at('now', 0)], seq: 10, recovered: false },
  { name: 'has a number that was never given', positions: [at('now', 21)], seq: 20, recovered: false },
  { name: 'comes from an unknown stream', positions: [at('other', 20)], seq: 10, recovered: false },
  { name: 'resumes without a position', positions: [], seq: 10, recovered: false },
  {
    name: 'has a place here and one in another stream: here counts',
    positions: [at('other', 3), at('now', 18)],
    seq: 18,
    recovered: true,
  },
  {
    name: 'had everything of a stream that was merged, up to what was kept of it',
    positions: [at('old', 7)],
    absorbed: [{ stream: 'old', from: 8, at: 14 }],
    seq: 14,
    recovered: true,
  },
  {
    name: 'was ahead of what was kept of a merged stream',
    positions: [at('old', 90)],
    absorbed: [{ stream: 'old', from: 8, at: 14 }],
    seq: 14,
    recovered: true,
  },
  {
    name: 'missed something of a merged stream that had not been kept',
    positions: [at('old', 6)],
    absorbed: [{ stream: 'old', from: 8, at: 14 }],
    seq: 10,
    recovered: false,
  },
  {
    name: 'comes from a merged stream when what follows the place of the merge is not kept any more',
    positions: [at('old', 7)],
    absorbed: [{ stream: 'old', from: 8, at: 9 }],
    seq: 10,
    recovered: false,
  },
  {
    name: 'comes from a merged stream right when everything behind its place is kept',
    positions: [at('old', 7)],
    absorbed: [{ stream: 'old', from: 8, at: 10 }],
    seq: 10,
    recovered: true,
  },
  {
    name: 'comes from the second of two merged streams',
    positions: [at('older', 5)],
    absorbed: [
      { stream: 'old', from: 8, at: 14 },
      { stream: 'older', from: 6, at: 12 },
    ],
    seq: 12,
    recovered: true,
  },
  {
    name: 'was merged, and has had messages of the present stream since',
    positions: [at('old', 7), at('now', 19)],
    absorbed: [{ stream: 'old', from: 8, at: 14 }],
    seq: 19,
    recovered: true,
  },
];

for (const { name, positions, absorbed, seq, recovered } of cases) {
  t.test(`a session that ${name}`, async (t) => {
    t.same(attachPosition({ stream: 'now', inbox, absorbed }, positions), { seq, recovered });
  });
}

t.test('a stream in which nothing has been sent', async (t) => {
  const empty = new Inbox(new InboxBudget(0), { maxMessages: 1, maxBytes: 1 }, 1);
  const place = { stream: 'now', inbox: empty, absorbed: undefined };
  t.same(attachPosition(place, undefined), { seq: 0, recovered: true });
  t.same(attachPosition(place, [at('now', 0)]), { seq: 0, recovered: true });
  t.same(attachPosition(place, [at('other', 4)]), { seq: 0, recovered: false });
});

t.test('a message is covered by a position in any of its streams of origin', async (t) => {
  const origins = [at('one', 5), at('two', 9)];
  t.notOk(isCovered(origins, undefined));
  t.notOk(isCovered(origins, []));
  t.notOk(isCovered([], [at('one', 5)]));
  t.notOk(isCovered(origins, [at('one', 4), at('two', 8), at('three', 100)]));
  t.ok(isCovered(origins, [at('one', 5)]));
  t.ok(isCovered(origins, [at('one', 1), at('two', 10)]));
});
