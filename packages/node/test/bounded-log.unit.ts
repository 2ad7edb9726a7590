import { LinkSession } from '@pinwheel/holder';
import type { Log } from '@pinwheel/membership';
import t from 'tap';
import { until } from '../../../test/kit/until.js';
import { boundedLog } from '../src/application/bounded-log.js';
import { Inbound } from '../src/application/inbound.js';
import { createNodeCounters } from '../src/counters/node-counters.js';

/** A log, and what is in it. */
function recorded() {
  const lines: object[] = [];
  const note = (fields: object, text: string): void => void lines.push({ ...fields, text });
  const log: Log = { info: note, warn: note, error: note };
  return { log, lines };
}

t.test('ten lines a second of each level, and how many were left out', async (t) => {
  const { log, lines } = recorded();
  let now = 0;
  const bounded = boundedLog(log, () => now);
  for (let i = 0; i < 100; i++) bounded.warn({ i }, 'it failed');
  t.same(lines.at(-1), { i: 9, text: 'it failed' });
  t.equal(lines.length, 10);
  bounded.info({}, 'another level');
  t.equal(lines.length, 11, 'which waits for none');
  now = 1000;
  for (let i = 100; i < 102; i++) bounded.warn({ i }, 'it failed');
  t.same(lines.slice(11), [
    { i: 100, othersBefore: 90, text: 'it failed' },
    { i: 101, text: 'it failed' },
  ]);
});

t.test('a client on whose messages the application fails does not fill the log', async (t) => {
  const fail = (): never => {
    throw new Error('no room');
  };
  const { log, lines } = recorded();
  const counters = createNodeCounters();
  const inbound = new Inbound({
    application: { onMessage: fail, onSend: fail },
    limits: { maxPerUser: 1000, maxBytesPerUser: 1_000_000, maxBytes: 1_000_000 },
    counters,
    log,
    send: () => Promise.reject(new Error('nobody sends')),
    pass: () => Promise.reject(new Error('nothing passes')),
  });
  const held = { user: 'alice', ended: () => {} } as never;
  const start = { key: 'a', edge: 'e1', since: 0, acknowledges: true, epoch: 1 };
  const session = new LinkSession(held, start, 0);
  const send = { to: 'bob', data: Buffer.from('x'), binary: false, waitForClient: false, repeated: false };
  for (let number = 1; number <= 200; number++) inbound.sent(session, { ...send, number });
  await until('it has failed on all of them', () => counters.applicationErrors === 200);
  t.ok(lines.length > 0 && lines.length <= 50, `${lines.length} lines`);
  t.match(lines[0], { user: 'alice', error: 'no room', text: 'the application failed on a send' });
});
