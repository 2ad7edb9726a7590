import t from 'tap';
import { Outbox, type OutboxLimits } from '../src/outbox.js';
import { Pending } from '../src/pending.js';

/** Sends one item per user named, all in one run, and gives the users of each batch. */
async function batchesOf(
  users: readonly string[],
  limits: Partial<OutboxLimits>,
): Promise<readonly string[]> {
  const batches: string[] = [];
  let count = 0;
  const outbox = new Outbox<Pending>(
    () => true,
    async (batch) => {
      batches.push(batch.map(({ user }) => user).join(''));
      return () => {};
    },
    { maxBatchMessages: 4, maxBatchBytes: 1_000_000, ...limits },
  );
  for (const user of users) outbox.push(new Pending(user, 'x', false, `m${count}`, count++, 0, () => {}));
  for (let i = 0; i < 100 && outbox.open.length + outbox.inFlight.length > 0; i++) await null;
  return batches;
}

t.test('a batch holds as many messages as its bound', async (t) => {
  t.same(await batchesOf([...'aabbccddee'], {}), ['aabb', 'ccdd', 'ee']);
  t.same(await batchesOf([...'aaabbbccc'], {}), ['aaab', 'bbcc', 'c']);
});

t.test('asked to, it keeps the messages of a user together that stand together', async (t) => {
  const together = { keepsUsersTogether: true };
  t.same(await batchesOf([...'aaabbbccc'], together), ['aaa', 'bbb', 'ccc']);
  t.same(await batchesOf([...'aabbccddee'], together), ['aabb', 'ccdd', 'ee']);
  t.same(
    await batchesOf([...'aaaaaaabb'], together),
    ['aaaaaaa', 'bb'],
    'also those that are more than a batch',
  );
  t.same(await batchesOf([...'abbbbbbbc'], together), ['a', 'bbbbbbb', 'c']);
});
