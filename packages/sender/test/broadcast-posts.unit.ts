import { PinwheelError } from '@pinwheel/protocol';
import type { Posted } from '@pinwheel/strategy';
import t from 'tap';
import { broke, messagesIn, ScriptedQueue, senderOf, taken, toNobody } from './kit/scripted-queue.js';

const tooLarge: Posted = { kind: 'failed', error: new PinwheelError('too-large', 'it is too large') };

/** Says how much it takes when the first post comes. */
function smallerThanThought(maxPostBytes: number): ScriptedQueue {
  const queue = new ScriptedQueue((_topic, _count, { length }) => {
    queue.maxPostBytes = maxPostBytes;
    return length > maxPostBytes ? tooLarge : taken;
  });
  return queue;
}

t.test(
  'a queue that does not say how many listen has published; one at which nobody does has not',
  async (t) => {
    const unknown = new ScriptedQueue(() => ({ kind: 'taken', receivers: undefined }));
    const sender = senderOf(t, { name: 'broadcast', queue: unknown });
    t.same(await sender.send('ann', 'x'), { user: 'ann', status: 'published' });
    t.same(await sender.broadcast('x'), {});

    const empty = new ScriptedQueue(() => toNobody);
    const deaf = senderOf(t, { name: 'broadcast', queue: empty });
    const error = { code: 'unavailable', message: /no node listens to pinwheel\.broadcast on a queue/ };
    t.match(await deaf.send('ann', 'x', { deadlineMs: 100 }), { status: 'overloaded', error });
    await t.rejects(deaf.broadcast('x'), error);
  },
);

t.test('why what is for everybody could not be posted is told to whoever sent it', async (t) => {
  const sender = senderOf(t, { name: 'broadcast', queue: new ScriptedQueue(() => broke) });
  await t.rejects(sender.broadcast('x'), { code: 'unknown-outcome', message: 'the connection broke' });
});

t.test('no post is larger than the queue takes, with its head', async (t) => {
  const queue = new ScriptedQueue(() => taken);
  const id = (name: string): string => name.repeat(64);
  const data = new Uint8Array(1000);
  const sender = senderOf(t, { name: 'broadcast', queue });
  await Promise.all(['1', '2'].map((name) => sender.send('a', data, { id: id(name) })));
  const [together] = queue.seen;
  t.same(queue.seen.length, 1, 'both in one post');
  queue.maxPostBytes = together!.copy.length - 1;
  await Promise.all(['3', '4'].map((name) => sender.send('a', data, { id: id(name) })));
  t.same(
    queue.seen.slice(1).map(({ copy }) => copy.length < together!.copy.length),
    [true, true],
  );
});

t.test('messages that are too large only together go again in smaller posts', async (t) => {
  const queue = smallerThanThought(2000);
  const sender = senderOf(t, { name: 'broadcast', queue });
  const receipts = await sender.sendMany(
    Array.from({ length: 20 }, (_, i) => `user-${i}`),
    'x'.repeat(300),
  );
  t.same(new Set(receipts.map(({ status }) => status)), new Set(['published']));
  t.ok(queue.seen[0]!.copy.length > 2000);
  t.ok(queue.seen.slice(1).every(({ copy }) => copy.length <= 2000));
});

t.test('one that is too large alone is told so, and posted once', async (t) => {
  const queue = new ScriptedQueue(() => tooLarge);
  const sender = senderOf(t, { name: 'broadcast', queue });
  t.match(await sender.send('ann', 'x'), { status: 'overloaded', error: { code: 'too-large' } });
  t.equal(queue.posted.length, 1);
});

t.test('every message that is posted counts as a copy, with what its post measures', async (t) => {
  const queue = new ScriptedQueue(() => taken);
  const sender = senderOf(t, { name: 'broadcast', queue, maxMessagesPerPost: 2 });
  await sender.sendMany(['ann', 'ben', 'cleo'], 'hello');
  const bytes = queue.seen.reduce((sum, { copy }) => sum + copy.length, 0);
  t.same(queue.seen.map(messagesIn), [['ann hello', 'ben hello'], ['cleo hello']]);
  t.same(sender.counters().traffic, { copies: 3, bytes });
});

t.test('a post has no more time than its messages', async (t) => {
  const queue = new ScriptedQueue(() => taken);
  const sender = senderOf(t, { name: 'broadcast', queue });
  await sender.send('ann', 'x', { deadlineMs: 300 });
  t.ok(queue.seen[0]!.deadlineMs <= 301, `${queue.seen[0]!.deadlineMs} ms`);
});

t.test('the bytes of a post stay as they are as long as it may be on its way', async (t) => {
  const queue = new ScriptedQueue((_topic, count) => (count === 2 ? broke : taken));
  const sender = senderOf(t, { name: 'broadcast', queue, maxMessagesPerPost: 1 });
  await sender.send('ann', 'first');
  await sender.send('ben', 'in doubt');
  for (const data of ['third', 'fourth']) await sender.send('cleo', data);
  const [first, lost, ...others] = queue.seen;
  t.same(messagesIn(lost!), ['ben in doubt']);
  t.same(Buffer.from(lost!.bytes), lost!.copy, 'nothing is written over it');
  const buffers = others.map(({ bytes }) => bytes.buffer);
  t.equal(lost!.bytes.buffer, first!.bytes.buffer, 'others are used again');
  t.equal(new Set(buffers).size, 1);
  t.not(buffers[0], lost!.bytes.buffer);
  await sender.sendMany(['dora', 'emil', 'fay'], 'at once');
  t.same(queue.seen.slice(-3).map(messagesIn), [['dora at once'], ['emil at once'], ['fay at once']]);
});
