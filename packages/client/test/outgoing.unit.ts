import { type ClientFrame, decodeClientFrame, PinwheelError } from '@pinwheel/protocol/client';
import t from 'tap';
import { FakeTimers } from '../../migration/test/kit/fake-timers.js';
import type { Content } from '../src/content.js';
import { Outgoing, type OutgoingLimits } from '../src/outgoing.js';
import { wakingClock } from '../src/waking-clock.js';

function start(limits: Partial<OutgoingLimits> = {}) {
  const timers = new FakeTimers();
  const written: number[] = [];
  /** Numbers of what was written with the word that it may have been delivered before. */
  const repeated: number[] = [];
  const outcomes: string[] = [];
  const outgoing = new Outgoing(
    { maxQueuedMessages: 1000, maxQueuedBytes: 10_000_000, sendTimeoutMs: 1000, ...limits },
    timers,
  );
  const write = (frame: Uint8Array): void => {
    const decoded = decodeClientFrame(frame) as ClientFrame & { readonly number: number };
    written.push(decoded.number);
    if (decoded.kind === 'send' && decoded.repeated) repeated.push(decoded.number);
  };
  /** Adds messages of so many bytes; what becomes of each is told by its place. */
  const add = (count: number, bytes = 1, kind: Content['kind'] = 'message'): void => {
    for (let i = 0; i < count; i++) {
      const place = outcomes.push('pending') - 1;
      const data = new Uint8Array(bytes);
      const content: Content =
        kind === 'message'
          ? { kind, binary: true, data }
          : { kind, binary: true, data, to: 'bob', waitForClient: false };
      outgoing.add(content).then(
        (receipt) => {
          outcomes[place] = receipt?.status ?? 'taken';
        },
        (error) => {
          outcomes[place] =
            error instanceof PinwheelError ? `${error.code}: ${error.message}` : String(error);
        },
      );
    }
  };
  return { timers, outgoing, written, repeated, outcomes, write, add };
}

const numbers = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

t.test('at most 128 messages are under way; the next leave as those are taken', async (t) => {
  const { outgoing, write, add, written } = start();
  outgoing.resume(0, 65_536, write);
  add(300);
  t.same(written, numbers(1, 128));
  outgoing.taken(2);
  t.same(written, numbers(1, 130));
  outgoing.taken(130);
  t.same(written, numbers(1, 258));
});

t.test('bytes may be changed after the call, those of Node.js too', async (t) => {
  const { outgoing } = start();
  for (const data of [new Uint8Array([1, 2, 3]), Buffer.from([1, 2, 3])]) {
    void outgoing.add({ kind: 'message', binary: true, data });
    data.fill(9);
  }
  const sent: (readonly number[])[] = [];
  outgoing.resume(0, 65_536, (frame) => {
    const { data } = decodeClientFrame(frame) as { readonly data: Uint8Array };
    sent.push([...data]);
  });
  t.same(sent, [
    [1, 2, 3],
    [1, 2, 3],
  ]);
  outgoing.taken(2);
});

t.test('at most 128 KiB are under way, or one message', async (t) => {
  const { outgoing, write, add, written } = start();
  outgoing.resume(0, 1_048_576, write);
  add(1, 1_000_000);
  add(2, 65_536);
  add(1, 1);
  t.same(written, [1]);
  outgoing.taken(1);
  t.same(written, [1, 2, 3]);
  outgoing.taken(2);
  t.same(written, [1, 2, 3, 4]);
});

t.test('a new connection gets what was not taken, and then the rest, in order', async (t) => {
  const { outgoing, write, add, written } = start();
  outgoing.resume(0, 65_536, write);
  add(130);
  outgoing.pause();
  written.length = 0;
  add(1);
  t.same(written, []);
  outgoing.resume(100, 65_536, write);
  t.same(written, numbers(101, 131));
});

t.test('the queue has a bound in messages', async (t) => {
  const { outgoing, write, add, outcomes } = start({ maxQueuedMessages: 3 });
  add(4);
  await null;
  t.match(outcomes, [
    'pending',
    'pending',
    'pending',
    'overloaded: 3 messages wait to be taken or answered; there is room for 3',
  ]);
  outgoing.resume(0, 65_536, write);
  add(1);
  await null;
  t.match(outcomes[4], /^overloaded/, 'what is written is in it until it is taken');
  outgoing.taken(1);
  add(1);
  await null;
  t.match(outcomes[5], 'pending');
});

t.test('a taken message whose receipt is still to come is in the bound, too', async (t) => {
  const { outgoing, write, add, outcomes } = start({ maxQueuedMessages: 1 });
  outgoing.resume(0, 65_536, write);
  add(1, 1, 'send');
  outgoing.taken(1);
  add(1);
  await null;
  t.match(outcomes, ['pending', /^overloaded/]);
  outgoing.receipt(1, { user: 'bob', status: 'queued' });
  add(1);
  await null;
  t.match(outcomes, ['queued', /^overloaded/, 'pending']);
});

t.test('the queue has a bound in bytes', async (t) => {
  const { outgoing, write, add, outcomes } = start({ maxQueuedBytes: 100 });
  add(1, 101);
  add(2, 50);
  add(1, 1);
  await null;
  const refused = 'overloaded: 101 bytes would wait to be taken or answered; there is room for 100';
  t.same(outcomes, [refused, 'pending', 'pending', refused]);
  outgoing.resume(0, 65_536, write);
  outgoing.taken(2);
  add(1, 100);
  await null;
  t.same(outcomes[4], 'pending');
});

t.test('after the time for it', async (t) => {
  await t.test('what was never written is withdrawn, and takes no number', async (t) => {
    const { timers, outgoing, write, add, outcomes, written } = start();
    add(2);
    timers.pass(500);
    add(1);
    timers.pass(500);
    await null;
    const late = 'deadline: it could not be sent within 1000 ms';
    t.same(outcomes, [late, late, 'pending']);
    outgoing.resume(0, 65_536, write);
    t.same(written, [1]);
    outgoing.taken(1);
    await null;
    t.equal(outcomes[2], 'taken');
    timers.pass(10_000);
    t.equal(timers.pending, 0);
  });

  await t.test('what was written has an unknown outcome, and is not written again', async (t) => {
    const { timers, outgoing, write, add, outcomes, written } = start();
    outgoing.resume(0, 65_536, write);
    add(1);
    add(1, 1, 'send');
    timers.pass(1000);
    await null;
    const unknown = 'unknown-outcome: it was sent, and not taken within 1000 ms';
    t.same(outcomes, [unknown, unknown]);
    outgoing.pause();
    add(1);
    outgoing.resume(0, 65_536, write);
    t.same(written, [1, 2, 3]);
    outgoing.taken(3);
    outgoing.receipt(2, { user: 'bob', status: 'offline' });
    await null;
    t.same(outcomes, [unknown, unknown, 'taken']);
  });

  await t.test('a receipt that has not come is no more waited for', async (t) => {
    const { timers, outgoing, write, add, outcomes } = start();
    outgoing.resume(0, 65_536, write);
    add(1, 1, 'send');
    timers.pass(10);
    add(1, 1, 'send');
    outgoing.taken(2);
    timers.pass(990);
    await null;
    const unknown = 'unknown-outcome: it was taken, and no receipt came within 1000 ms';
    t.same(outcomes, [unknown, 'pending']);
    timers.pass(10);
    await null;
    t.same(outcomes, [unknown, unknown]);
    t.equal(timers.pending, 0);
  });
});

t.test('what nobody waits for any more takes no room while there is no connection', async (t) => {
  const { outgoing, write, add, outcomes, timers } = start({ maxQueuedMessages: 3, sendTimeoutMs: 1000 });
  outgoing.resume(0, 65_536, write);
  add(3);
  outgoing.pause();
  timers.pass(1000);
  await null;
  add(3);
  await null;
  t.ok(outcomes.slice(0, 3).every((outcome) => outcome.startsWith('unknown-outcome')));
  t.same(outcomes.slice(3), ['pending', 'pending', 'pending']);
});

t.test('what was written before the process slept is too old when there is a connection again', async (t) => {
  const { outgoing, write, add, outcomes, timers, written } = start({ sendTimeoutMs: 1000 });
  outgoing.resume(0, 65_536, write);
  add(2);
  outgoing.pause();
  written.length = 0;
  // its timers have yet to run
  timers.sleep(3_600_000);
  outgoing.resume(0, 65_536, write);
  await null;
  t.same(written, []);
  t.ok(outcomes.every((outcome) => outcome.startsWith('unknown-outcome')));
});

t.test('a clock goes on while the device sleeps, and never back', async (t) => {
  let monotonic = 100;
  let wall = 5000;
  const now = wakingClock(
    () => monotonic,
    () => wall,
  );
  const pass = (ms: number, wallMs: number): number => {
    monotonic += ms;
    wall += wallMs;
    return now();
  };
  const start = now();
  const since = (time: number): number => Math.round((time - start) * 1000) / 1000;
  t.equal(since(pass(10, 10)), 10);
  t.equal(since(pass(5, 3_600_000)), 3_600_010, 'it has slept');
  t.equal(since(pass(7, -3_600_000)), 3_600_017, 'the wall clock was put back');
  for (let i = 1; i <= 10_000; i++) pass(0.1, i % 10 === 0 ? 1 : 0);
  t.equal(since(pass(0, 0)), 3_601_017, 'that one goes in whole milliseconds changes nothing');
});

t.test('a new connection asks again for the receipts that have not come', async (t) => {
  const { timers, outgoing, write, add, outcomes, written, repeated } = start({ sendTimeoutMs: 60_000 });
  outgoing.resume(0, 65_536, write);
  add(1, 1, 'send');
  timers.pass(20_000);
  add(1);
  add(2, 1, 'send');
  add(1);
  outgoing.taken(4);
  outgoing.receipt(3, { user: 'bob', status: 'queued' });
  outgoing.pause();
  written.length = 0;
  outgoing.resume(4, 65_536, write);
  t.same(written, [1, 4, 5], 'of what was taken only a send without a receipt');
  t.same(repeated, [1, 4], 'which may have been delivered; what was not taken is only written again');
  timers.pass(10_000);
  outgoing.resume(5, 65_536, write);
  t.same(written, [1, 4, 5, 4], 'no longer than for half a minute');
  outgoing.receipt(4, { user: 'bob', status: 'delivered' });
  outgoing.receipt(1, { user: 'bob', status: 'offline' });
  await null;
  t.same(outcomes, ['offline', 'taken', 'queued', 'delivered', 'taken']);
  outgoing.resume(5, 65_536, write);
  t.same(written, [1, 4, 5, 4]);
});

t.test('it asks for no more of them than an edge keeps, the newest', async (t) => {
  const { outgoing, write, add, written } = start({ sendTimeoutMs: 60_000 });
  outgoing.resume(0, 65_536, write);
  add(70, 1, 'send');
  outgoing.taken(70);
  written.length = 0;
  outgoing.resume(70, 65_536, write);
  t.same(written, numbers(7, 70));
  add(2, 40_000, 'send');
  outgoing.taken(72);
  written.length = 0;
  outgoing.resume(72, 65_536, write);
  t.same(written, [72]);
});

t.test('it does not ask for a receipt of what the next server would not take', async (t) => {
  const { outgoing, write, add, written } = start({ sendTimeoutMs: 60_000 });
  outgoing.resume(0, 65_536, write);
  add(1, 40_000, 'send');
  add(1, 100, 'send');
  outgoing.taken(2);
  written.length = 0;
  outgoing.resume(2, 1000, write);
  t.same(written, [2]);
});

t.test(
  'what nobody waits for any more is under way until it is taken, while there is a connection',
  async (t) => {
    const { timers, outgoing, write, add, written } = start();
    outgoing.resume(0, 65_536, write);
    add(128);
    timers.pass(1000);
    add(1);
    t.same(written, numbers(1, 128));
    outgoing.taken(1);
    t.same(written, numbers(1, 129));
  },
);

t.test('what nobody waits for any more has no bytes in the queue', async (t) => {
  const { timers, outgoing, write, add, outcomes } = start({ maxQueuedBytes: 100 });
  outgoing.resume(0, 65_536, write);
  add(1, 60);
  outgoing.pause();
  add(1, 40);
  timers.pass(1000);
  add(1, 100);
  await null;
  t.match(outcomes, [/^unknown-outcome/, /^deadline/, 'pending']);
});

t.test('what waits for a receipt is in the bound in bytes, too', async (t) => {
  const { outgoing, write, add, outcomes } = start({ maxQueuedBytes: 100 });
  outgoing.resume(0, 65_536, write);
  add(1, 60, 'send');
  outgoing.taken(1);
  add(1, 60);
  await null;
  t.match(outcomes[1], /^overloaded: 120 bytes would wait/);
  outgoing.receipt(1, { user: 'bob', status: 'delivered' });
  add(1, 60);
  await null;
  t.same(outcomes[2], 'pending');
});

t.test('at the end everybody is told how far it came', async (t) => {
  const { timers, outgoing, write, add, outcomes } = start();
  outgoing.resume(0, 65_536, write);
  add(1, 1, 'send');
  outgoing.taken(1);
  add(1);
  outgoing.pause();
  add(1);
  outgoing.end('closed with 4500');
  await null;
  t.same(outcomes, [
    'unknown-outcome: closed with 4500 before the receipt came',
    'unknown-outcome: closed with 4500 before it was taken',
    'closed: closed with 4500 before it was sent',
  ]);
  t.equal(timers.pending, 0);
});

t.test('a server that has taken what was never sent is not believed', async (t) => {
  const { outgoing, write, add } = start();
  outgoing.resume(0, 65_536, write);
  add(1);
  t.throws(() => outgoing.taken(2), {
    code: 'protocol',
    message: 'the server has taken 2; the last number sent is 1',
  });
});

t.test('what was sent to a server that takes more is not sent to one that takes less', async (t) => {
  const { outgoing, write, add, outcomes, written } = start();
  outgoing.resume(0, 1_048_576, write);
  add(1, 500_000);
  add(1, 10);
  outgoing.pause();
  outgoing.resume(0, 65_536, write);
  await null;
  t.same(written, [1, 2]);
  t.match(outcomes, [/^unknown-outcome: .*takes at most 65536 bytes/]);
});
