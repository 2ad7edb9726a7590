import fc from 'fast-check';
import t from 'tap';
import { Inbox } from '../src/inbox/inbox.js';
import { InboxBudget } from '../src/inbox/inbox-budget.js';
import type { InboxLimits } from '../src/inbox/inbox-limits.js';
import { inboxCommands, startInbox } from './kit/inbox-model.js';

const roomy: InboxLimits = { maxMessages: 256, maxBytes: 262_144 };
const bytes = (length: number): Uint8Array => new Uint8Array(length).fill(length);
const seqs = (inbox: Inbox, seq = 0): readonly number[] => [...inbox.after(seq)].map((kept) => kept.seq);

function open(limits: Partial<InboxLimits> = {}, budgetBytes = Number.POSITIVE_INFINITY) {
  const budget = new InboxBudget(budgetBytes);
  return { budget, inbox: new Inbox(budget, { ...roomy, ...limits }, 1) };
}

function append(inbox: Inbox, count: number, dataBytes = 10, second = 1): void {
  for (let i = 0; i < count; i++) inbox.append(`m${inbox.next}`, false, bytes(dataBytes), second, 1);
}

t.test('any sequence of calls leaves what an array would have', async () => {
  for (const limits of [roomy, { maxMessages: 9, maxBytes: 4000 }, { maxMessages: 100, maxBytes: 700 }]) {
    fc.assert(
      fc.property(inboxCommands(limits), (commands) => fc.modelRun(() => startInbox(limits), commands)),
      { numRuns: 60 },
    );
  }
});

t.test('when the memory of the node is used up the oldest go, and an offer harms nobody', async () => {
  const limits = { maxMessages: 60, maxBytes: 5000 };
  for (const budgetBytes of [0, 1024, 2048, 4096]) {
    fc.assert(
      fc.property(inboxCommands(limits), (commands) =>
        fc.modelRun(() => startInbox(limits, budgetBytes), commands),
      ),
      { numRuns: 40 },
    );
  }
});

t.test('at the bound by count the oldest goes', async (t) => {
  const { inbox } = open({ maxMessages: 3 });
  append(inbox, 5);
  t.same(seqs(inbox), [3, 4, 5]);
  t.notOk(inbox.offer('next', false, bytes(1), 1, 0));
  t.same(seqs(inbox), [3, 4, 5]);
});

t.test('at the bound by bytes as many of the oldest go as the new one needs', async (t) => {
  const { inbox } = open({ maxBytes: 1000 });
  append(inbox, 8, 100);
  append(inbox, 1, 500);
  t.same(seqs(inbox), [6, 7, 8, 9]);
  t.ok(inbox.keptBytes <= 1000);
  t.equal(inbox.next, 10);
});

t.test('a message above the bound by itself is passed over: behind it nothing old can be had', async (t) => {
  const { inbox } = open({ maxBytes: 1000 });
  append(inbox, 3);
  append(inbox, 1, 2000);
  t.same(seqs(inbox), []);
  t.equal(inbox.firstKept, 5);
  append(inbox, 1);
  t.same(seqs(inbox), [5]);
  t.notOk(inbox.offer('large', true, bytes(2000), 1, 0));
  t.same(seqs(inbox), [5]);
});

t.test(
  'what is behind a place is given in order, with whether it is binary, its data and its origins',
  async (t) => {
    const { inbox } = open();
    inbox.append('a', false, Buffer.from('one'), 1, 0);
    inbox.append('b', true, Buffer.from('two'), 1, 0);
    inbox.setOrigins(2, [{ stream: 's', seq: 7 }]);
    inbox.setOrigins(2, [{ stream: 't', seq: 9 }]);
    const [kept, ...none] = [...inbox.after(1)];
    t.same(
      { ...kept, data: Buffer.from(kept!.data).toString() },
      {
        seq: 2,
        id: 'b',
        binary: true,
        data: 'two',
        origins: [
          { stream: 's', seq: 7 },
          { stream: 't', seq: 9 },
        ],
      },
    );
    t.same(none, []);
    t.equal(inbox.seqOf({ stream: 't', seq: 9 }), 2);
    t.equal(inbox.seqOf({ stream: 't', seq: 8 }), undefined);
  },
);

t.test(
  'origins are forgotten with their message, and those of one that is not kept are not taken',
  async (t) => {
    const { inbox } = open();
    append(inbox, 2);
    inbox.setOrigins(1, [{ stream: 's', seq: 7 }]);
    inbox.release(1);
    inbox.setOrigins(1, [{ stream: 's', seq: 8 }]);
    t.equal(inbox.seqOf({ stream: 's', seq: 7 }), undefined);
    t.equal(inbox.seqOf({ stream: 's', seq: 8 }), undefined);
  },
);

t.test('of many places of origin the newest four count', async (t) => {
  const { inbox } = open();
  append(inbox, 1);
  for (const seq of [1, 2, 3, 4, 5, 6]) inbox.setOrigins(1, [{ stream: 's', seq }]);
  const [kept] = [...inbox.after(0)];
  t.same(
    kept!.origins.map(({ seq }) => seq),
    [3, 4, 5, 6],
  );
});

t.test('a message that nobody needs is recognised among the last 256', async (t) => {
  const { inbox } = open();
  for (let i = 0; i < 2000; i++) {
    append(inbox, 1, 50);
    inbox.release(inbox.next - 1);
  }
  for (let seq = 1745; seq <= 2000; seq++) t.same(inbox.find(`m${seq}`), { seq, sessions: 1 });
  t.equal(inbox.find('m1'), undefined);
});

t.test('a message that nobody needs is recognised for a minute', async (t) => {
  const { inbox, budget } = open();
  append(inbox, 1, 50, 100);
  inbox.release(1);
  inbox.shrink(160);
  t.same(inbox.find('m1'), { seq: 1, sessions: 1 });
  inbox.shrink(161);
  t.equal(inbox.find('m1'), undefined);
  t.equal(budget.bytes, 0);
});

t.test('history costs the memory of ids, not that of large messages', async (t) => {
  const { inbox } = open();
  for (let i = 0; i < 1000; i++) {
    append(inbox, 1, 100_000);
    inbox.release(inbox.next - 1);
  }
  t.ok(inbox.memoryBytes <= 1_048_576, `${inbox.memoryBytes} bytes`);
  for (let seq = 745; seq <= 1000; seq++) t.same(inbox.find(`m${seq}`), { seq, sessions: 1 });
});

t.test(
  'memory that is of no use any more goes back, though ids are young and something is kept',
  async (t) => {
    for (const keeps of [false, true]) {
      const { inbox, budget } = open();
      append(inbox, 40, 5000, 100);
      inbox.release(inbox.next - 1);
      t.ok(budget.bytes > 200_000, `${budget.bytes} bytes`);
      // a small message a minute
      for (let second = 130; second < 700; second += 30) {
        append(inbox, 1, 50, second);
        if (!keeps) inbox.release(inbox.next - 1);
        inbox.shrink(second);
        inbox.expire(second - 60);
      }
      t.ok(budget.bytes <= 4096 && budget.bytes === inbox.memoryBytes, `${budget.bytes} bytes`);
      t.equal(inbox.find(`m${inbox.next - 1}`)?.seq, inbox.next - 1, 'and nothing is forgotten');
      t.equal(seqs(inbox).length, keeps ? 3 : 0);
    }
  },
);

t.test('while something is kept nothing of that goes', async (t) => {
  const { inbox, budget } = open();
  append(inbox, 2, 50, 100);
  inbox.release(1);
  inbox.shrink(1000);
  t.ok(budget.bytes > 0);
  t.same(seqs(inbox), [2]);
});

t.test('what is older than a time goes, the younger stay', async (t) => {
  const { inbox } = open();
  append(inbox, 2, 10, 100);
  append(inbox, 1, 10, 105);
  t.notOk(inbox.expire(100));
  t.ok(inbox.expire(105));
  t.same(seqs(inbox), [3]);
});

t.test('when the memory of the node is used up', async (t) => {
  await t.test('an offer is refused, and what waits goes on waiting', async (t) => {
    const { inbox } = open({}, 1024);
    append(inbox, 5, 100);
    while (inbox.offer(`m${inbox.next}`, false, bytes(100), 1, 0));
    t.equal(inbox.firstKept, 1);
    t.ok(inbox.next > 6);
    t.equal(seqs(inbox).length, inbox.next - 1);
  });

  await t.test('an append lets go of the oldest, as many as it needs', async (t) => {
    const { inbox } = open({}, 1024);
    append(inbox, 50, 100);
    t.equal(inbox.next, 51);
    t.ok(inbox.keptMessages >= 7, `${inbox.keptMessages} are kept`);
  });

  await t.test('an append to an inbox that has no memory at all is passed over', async (t) => {
    const { inbox, budget } = open({}, 1000);
    append(inbox, 3);
    t.same(seqs(inbox), []);
    t.equal(inbox.firstKept, 4);
    t.equal(budget.bytes, 0);
  });

  await t.test('the history of the user goes before what is kept', async (t) => {
    const { inbox } = open({}, 1024);
    append(inbox, 6, 100);
    inbox.release(5);
    append(inbox, 7, 100);
    t.equal(inbox.firstKept, 6);
    t.equal(inbox.find('m1'), undefined);
  });
});

t.test('the budget of all inboxes together', async (t) => {
  const budget = new InboxBudget(4096);
  const [one, other] = [new Inbox(budget, roomy, 1), new Inbox(budget, roomy, 1)];
  append(one, 20, 100);
  append(other, 20, 100);
  t.equal(budget.bytes, one.memoryBytes + other.memoryBytes);
  t.ok(budget.bytes <= 4096);
  one.clear();
  t.equal(budget.bytes, other.memoryBytes);
  other.clear();
  t.equal(budget.bytes, 0);
});

t.test('ids of another holder', async (t) => {
  const seen = [
    { id: 'a', sessions: 2 },
    { id: 'b', sessions: 0 },
  ];
  await t.test('are recognised, and taken for messages before the next one', async (t) => {
    const inbox = new Inbox(new InboxBudget(10_000), roomy, 41);
    inbox.recall(seen, 100);
    t.equal(inbox.next, 41);
    t.equal(inbox.firstKept, 41);
    t.equal(inbox.keptMessages, 0);
    t.same(inbox.find('a'), { seq: 40, sessions: 2 });
    t.same(inbox.find('b'), { seq: 40, sessions: 0 });
    append(inbox, 1);
    t.same(seqs(inbox), [41]);
    const known = seen.map((one) => ({ ...one, seq: 40 }));
    t.same(inbox.seen(100, 10), known);
    t.same(inbox.seen(100, 1), known.slice(1));
    t.same(inbox.seen(161, 10), []);
  });

  await t.test('stand where they stood there', async (t) => {
    const inbox = new Inbox(new InboxBudget(10_000), roomy, 41);
    const places = [
      { id: 'a', sessions: 2, seq: 7 },
      { id: 'b', sessions: 1, seq: 39 },
      { id: 'c', sessions: 1, seq: 2 ** 32 - 1 },
    ];
    inbox.recall(places, 100);
    t.same([inbox.next, inbox.firstKept, inbox.keptMessages], [41, 41, 0]);
    t.same(inbox.seen(100, 10), [...places.slice(0, 2), { ...places[2], seq: 40 }]);
  });

  await t.test('come too late when there are messages', async (t) => {
    const { inbox } = open();
    append(inbox, 1);
    inbox.recall(seen, 100);
    t.equal(inbox.find('a'), undefined);
    t.same(seqs(inbox), [1]);
  });

  await t.test('do no harm when there is no memory for them', async (t) => {
    const inbox = new Inbox(new InboxBudget(0), roomy, 41);
    inbox.recall(seen, 100);
    t.equal(inbox.next, 41);
    t.equal(inbox.firstKept, 41);
  });
});
