import { LinkSession } from '@pinwheel/holder';
import { silentLog } from '@pinwheel/membership';
import t from 'tap';
import { Inbound } from '../src/application/inbound.js';
import { createNodeCounters } from '../src/counters/node-counters.js';

/** A session that attaches while its user waits to be handed over. */
function situation() {
  const heard: string[] = [];
  const unused = () => Promise.reject(new Error('nobody sends'));
  const inbound = new Inbound({
    application: {
      onConnect: ({ session }) => {
        heard.push(`${session} connects`);
        throw new Error('not this one');
      },
      onDisconnect: ({ session }) => {
        heard.push(`${session} leaves`);
      },
    },
    limits: { maxPerUser: 10, maxBytesPerUser: 10_000, maxBytes: 100_000 },
    counters: createNodeCounters(),
    log: silentLog,
    send: unused,
    pass: unused,
  });
  const closed: number[] = [];
  const ended = (_session: LinkSession, code: number) => closed.push(code);
  const held = { user: 'alice', dismissed: () => {}, ended } as never;
  const start = { key: 'a', edge: 'e1', since: 0, acknowledges: true, epoch: 1 };
  const session = new LinkSession(held, start, 0);
  void inbound.hold('alice');
  inbound.connected(session);
  return { heard, inbound, closed, session };
}

t.test(
  'a session of a user who leaves before the application hears of it begins where it comes to',
  async (t) => {
    const { heard, inbound, session } = situation();
    t.same([heard, session.announced], [[], false]);
    inbound.letGo('alice', true);
    t.same([heard, session.announced], [[], false], 'it travels as one of which nobody has heard');
    inbound.disconnected(session, 1000, '');
    t.same(heard, [], 'nor does anybody hear of its end');
  },
);

t.test('and of one who stays here', async (t) => {
  const { heard, inbound, closed, session } = situation();
  inbound.letGo('alice', false);
  t.same([heard, session.announced], [['a connects'], true]);
  t.same(closed, [4502], 'it was refused');
});
