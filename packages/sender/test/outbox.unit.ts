import { maxBatchBytes, maxBatchMessages } from '@pinwheel/protocol';
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
    (batch, landed) => {
      batches.push(batch.map(({ user }) => user).join(''));
      queueMicrotask(() => landed(batch, () => {}));
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

/** An outbox whose batches are answered when the test says so. */
function answeredByHand(limits: Partial<OutboxLimits> = {}) {
  const flights: { readonly users: string; readonly land: (which: string) => void }[] = [];
  let count = 0;
  const outbox = new Outbox<Pending>(
    () => true,
    (batch, landed) => {
      const users = batch.map(({ user }) => user).join('');
      const land = (which: string): void => {
        landed(
          batch.filter(({ user }) => which.includes(user)),
          () => {},
        );
      };
      flights.push({ users, land });
    },
    { maxBatchMessages: 2048, maxBatchBytes: 1_000_000, maxFlights: 4, ...limits },
  );
  const push = async (users: Iterable<string>, data = 'x'): Promise<void> => {
    for (const user of users) outbox.push(new Pending(user, data, false, `m${count}`, count++, 0, () => {}));
    for (let i = 0; i < 10; i++) await null;
  };
  const land = async (users: string): Promise<void> => {
    const at = flights.findIndex((flight) => flight.users === users);
    flights.splice(at, 1)[0]!.land(users);
    for (let i = 0; i < 10; i++) await null;
  };
  /** Some of a batch, before the rest of it. */
  const landEarly = async (users: string, which: string): Promise<void> => {
    flights.find((flight) => flight.users === users)!.land(which);
    for (let i = 0; i < 10; i++) await null;
  };
  return { outbox, push, land, landEarly, inFlight: () => flights.map(({ users }) => users) };
}

t.test('small batches do not wait for one another, but a user for himself', async (t) => {
  const { outbox, push, land, inFlight } = answeredByHand();
  await push('ab');
  await push('cad');
  t.same(inFlight(), ['ab', 'cd']);
  t.same(
    outbox.open.map(({ user }) => user),
    ['a'],
  );
  t.same(
    outbox.inFlight.map(({ user }) => user),
    [...'abcd'],
  );
  await push('ac');
  await land('cd');
  t.same(inFlight(), ['ab', 'c'], 'whoever has waited for it leaves');
  await push('b');
  await land('ab');
  t.same(inFlight(), ['c', 'aab'], 'in order');
  await land('c');
  await land('aab');
  t.same([...inFlight(), ...outbox.open, ...outbox.inFlight], []);
});

t.test('what lands before the rest of its batch frees its users, and the rest stays in flight', async (t) => {
  const { outbox, push, land, landEarly, inFlight } = answeredByHand();
  await push('abc');
  await push('ab');
  t.same(inFlight(), ['abc']);
  await landEarly('abc', 'ac');
  t.same(inFlight(), ['abc', 'a'], 'a goes on, b waits for himself');
  t.same(
    outbox.inFlight.map(({ user }) => user),
    ['b', 'a'],
  );
  await land('a');
  await landEarly('abc', 'b');
  t.same(inFlight(), ['abc', 'b']);
  await land('b');
  t.same([...outbox.open, ...outbox.inFlight], []);
});

t.test('what is left of a batch holds up nobody else, however many they are', async (t) => {
  const { outbox, push, landEarly, land, inFlight } = answeredByHand({ maxBatchMessages: 70 });
  const many = Array.from({ length: 100 }, (_, i) => `b${i} `);
  await push(['a', 'c']);
  await push(['a', ...many, 'a']);
  t.same(inFlight(), ['ac'], 'a large batch waits for the answer');
  await landEarly('ac', 'c');
  const batches = [many.slice(0, 70).join(''), many.slice(70).join('')];
  t.same(inFlight(), ['ac', batches[0]], 'and not for what is left');
  await land(batches[0]!);
  t.same(inFlight(), ['ac', batches[1]]);
  t.same(
    outbox.open.map(({ user }) => user),
    ['a', 'a'],
  );
  await land(batches[1]!);
  await landEarly('ac', 'a');
  t.same(inFlight(), ['ac', 'aa'], 'in order');
});

t.test('what is left of batches has a bound, too', async (t) => {
  const { push, landEarly, land, inFlight } = answeredByHand({ maxFlights: 3 });
  for (const users of ['ab', 'cd', 'ef']) {
    await push(users);
    await landEarly(users, users[1]!);
  }
  await push('g');
  t.same(inFlight(), ['ab', 'cd', 'ef']);
  await land('cd');
  t.same(inFlight(), ['ab', 'ef', 'g']);
});

t.test('an answer that says of nobody what became of him ends nothing', async (t) => {
  const { outbox, push, landEarly, land, inFlight } = answeredByHand();
  await push('a');
  await landEarly('a', '');
  t.equal(outbox.inFlight.length, 1);
  await landEarly('a', 'a');
  await land('');
  t.same([...outbox.inFlight, ...outbox.open], []);
  await push('a');
  t.same(inFlight().at(-1), 'a', 'nobody is held');
});

t.test('what is much fills one batch', async (t) => {
  const users = (prefix: string, count: number): string[] =>
    Array.from({ length: count }, (_, i) => `${prefix}${i} `);
  const { push, land, inFlight } = answeredByHand();
  await push('a');
  await push(users('b', 64));
  t.same(inFlight(), ['a'], 'more than a few wait');
  await land('a');
  t.same(inFlight(), [users('b', 64).join('')]);
  await push('c');
  t.equal(inFlight().length, 1, 'nothing beside a large one');

  const bounded = answeredByHand({ maxBatchBytes: 3000, maxBatchMessages: 4 });
  await bounded.push('a');
  await bounded.push('bc', 'x'.repeat(600));
  t.same(bounded.inFlight(), ['a'], 'as bytes count');
  await bounded.land('a');
  t.same(bounded.inFlight(), ['b', 'c'], 'each batch for itself');

  const one = answeredByHand({ maxFlights: 1 });
  await one.push('a');
  await one.push('b');
  t.same(one.inFlight(), ['a'], 'one at a time where that is wanted');

  const few = answeredByHand();
  for (const user of 'abcdef') await few.push(user);
  t.same(few.inFlight(), [...'abcd'], 'a few at a time');
  await few.land('b');
  t.same(few.inFlight(), ['a', 'c', 'd', 'ef']);
});

t.test('what is just as much as its bound leaves', async (t) => {
  const { push, inFlight } = answeredByHand();
  await push('a');
  const few = Array.from({ length: 63 }, (_, i) => `b${i} `);
  await push(few);
  t.same(inFlight(), ['a', few.join('')], 'beside one in flight');

  const last = answeredByHand({ maxBatchMessages: 4 });
  await last.push('abc');
  await last.push('d');
  t.same(last.inFlight(), ['abc', 'd'], 'one by one, too');

  const { bytes } = new Pending('a', 'x', false, 'm', 0, 0, () => {});
  const measured = answeredByHand({ maxBatchBytes: 2 * bytes });
  await measured.push('abc');
  t.same(measured.inFlight(), ['ab', 'c'], 'as bytes count');
  await measured.push('de');
  t.same(measured.inFlight(), ['ab', 'c', 'de'], 'beside others, too');
});

t.test('what is sent upon a receipt leaves with the next batch', async (t) => {
  const batches: string[] = [];
  let count = 0;
  const item = (user: string) => new Pending(user, 'x', false, `m${count}`, count++, 0, () => {});
  let land = (): void => {};
  let receive = (): void => {};
  const receipt = new Promise<void>((resolve) => {
    receive = resolve;
  });
  const outbox = new Outbox<Pending>(
    () => true,
    (batch, landed) => {
      batches.push(batch.map(({ user }) => user).join(''));
      land = () => landed(batch, receive);
    },
  );
  void receipt.then(() => outbox.push(item('c')));
  outbox.push(item('a'));
  await null;
  outbox.push(item('b'));
  land();
  for (let i = 0; i < 10; i++) await null;
  t.same(batches, ['a', 'bc']);
});

t.test('of messages that all have their receipts before they leave no batch is made', async (t) => {
  const batches: unknown[] = [];
  const outbox = new Outbox<Pending>(
    () => false,
    (batch) => batches.push(batch),
  );
  outbox.push(new Pending('a', 'x', false, 'm', 0, 0, () => {}));
  for (let i = 0; i < 5; i++) await null;
  t.same([batches, outbox.open, outbox.inFlight], [[], [], []]);
});

t.test('of one user’s small messages no more are kept together than a request may have', async (t) => {
  const { inFlight, push } = answeredByHand({ keepsUsersTogether: true, maxFlights: 1, maxBatchMessages: 4 });
  await push('a'.repeat(maxBatchMessages + 1));
  t.equal(inFlight()[0]?.length, maxBatchMessages);
});

t.test('messages of one user that are kept together are no more than a request may have', async (t) => {
  const { outbox, inFlight, push } = answeredByHand({ keepsUsersTogether: true, maxFlights: 1 });
  const one = new Pending('a', 'x'.repeat(1_000_000), false, 'm', 0, 0, () => {});
  const most = Math.floor(maxBatchBytes / one.bytes);
  await push('a'.repeat(most + 2), 'x'.repeat(1_000_000));
  t.equal(inFlight()[0]?.length, most);
  t.equal(outbox.open.length, 2);
});
