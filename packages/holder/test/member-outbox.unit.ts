import t from 'tap';
import { MemberOutboxes, type MemberOutboxesOptions } from '../src/moves/member-outbox.js';

interface Call {
  readonly member: string;
  readonly items: readonly number[];
  readonly answer: () => void;
}

function start(options: Partial<MemberOutboxesOptions<number>> = {}) {
  const calls: Call[] = [];
  const outboxes = new MemberOutboxes<number>({
    most: 3,
    call: (member, items) => new Promise((answer) => calls.push({ member, items, answer })),
    ...options,
  });
  const push = (member: string, ...items: readonly number[]) => {
    for (const item of items) outboxes.push(member, item);
  };
  const settle = () => new Promise<void>((done) => setImmediate(done));
  return {
    calls,
    push,
    settle,
    asked: () => calls.map(({ member, items }) => `${member}: ${items.join(' ')}`),
  };
}

t.test('what the same run of code brings forth leaves together', async (t) => {
  const { push, settle, asked } = start();
  push('a', 1, 2);
  push('b', 3);
  t.same(asked(), []);
  await settle();
  t.same(asked(), ['a: 1 2', 'b: 3']);
});

t.test('while a call is under way the next items wait, and leave together', async (t) => {
  const { calls, push, settle, asked } = start();
  push('a', 1);
  await settle();
  push('a', 2);
  await settle();
  push('a', 3);
  await settle();
  t.same(asked(), ['a: 1']);
  calls[0]!.answer();
  await settle();
  t.same(asked(), ['a: 1', 'a: 2 3']);
  calls[1]!.answer();
  await settle();
  push('a', 4);
  await settle();
  t.same(asked().slice(2), ['a: 4']);
});

t.test('a call has so many items at most', async (t) => {
  const { calls, push, settle, asked } = start();
  push('a', 1, 2, 3, 4);
  await settle();
  calls[0]!.answer();
  await settle();
  t.same(asked(), ['a: 1 2 3', 'a: 4']);
});

t.test('and so many bytes, but an item that is larger by itself goes alone', async (t) => {
  const { calls, push, settle, asked } = start({ maxBytes: 100, bytesOf: (item) => item });
  push('a', 60, 30, 20, 200, 1);
  for (let i = 0; i < 4; i++) {
    await settle();
    calls[i]!.answer();
  }
  t.same(asked(), ['a: 60 30', 'a: 20', 'a: 200', 'a: 1']);
});

t.test('several calls to one member, when they are allowed', async (t) => {
  await t.test('so many and no more', async (t) => {
    const { calls, push, settle, asked } = start({ calls: 2 });
    push('a', 1);
    await settle();
    push('a', 2);
    await settle();
    push('a', 3);
    await settle();
    t.same(asked(), ['a: 1', 'a: 2']);
    calls[1]!.answer();
    await settle();
    t.same(asked(), ['a: 1', 'a: 2', 'a: 3']);
  });

  await t.test('a slow one does not hold up what had no room in it', async (t) => {
    const { push, settle, asked } = start({ calls: 2 });
    push('a', 1, 2, 3, 4, 5);
    await settle();
    t.same(asked(), ['a: 1 2 3', 'a: 4 5']);
  });
});
