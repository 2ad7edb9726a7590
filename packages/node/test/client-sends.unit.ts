import { silentLog } from '@pinwheel/membership';
import { PinwheelError, type Receipt } from '@pinwheel/protocol';
import t from 'tap';
import { ClientSends } from '../src/application/client-sends.js';
import { createNodeCounters } from '../src/counters/node-counters.js';

const limits = { maxPerUser: 10, maxBytesPerUser: 10_000, maxBytes: 100_000 };
const message = {
  user: 'bob',
  data: Buffer.from('x'),
  binary: false,
  id: 'i',
  waitForClient: false,
  repeated: true,
};

/** What alice is told of a message of hers of which a node or the sender says this. */
function toldOf(pass: () => Promise<Receipt>): Promise<Receipt> {
  const sends = new ClientSends({
    application: {},
    limits,
    counters: createNodeCounters(),
    log: silentLog,
    pass,
  });
  return sends.pass('alice', message);
}

t.test('a client hears what became of its message, and nothing of how the service is built', async (t) => {
  const user = 'bob';
  const delivered = { user, status: 'delivered', sessions: 2 } as const;
  t.same(await toldOf(async () => ({ ...delivered, stream: 's', seq: 7 })), delivered);
  t.same(await toldOf(async () => ({ user, status: 'offline' })), { user, status: 'offline' });
  const whereItIs = 'node n2 (http://10.0.0.2:7001) cannot be reached';
  for (const code of ['unreachable', 'unknown-outcome', 'deadline', 'internal', 'not-owner'] as const) {
    const error = { code, message: whereItIs };
    const odd: Receipt = { user, status: 'overloaded', owner: 'n2', fingerprint: 'f', error };
    for (const pass of [async () => odd, () => Promise.reject(new PinwheelError(code, whereItIs))]) {
      const told = await toldOf(pass);
      t.match(told, { user, status: 'overloaded', error: { code, message: /^[a-z ,;]+$/ } });
      t.same(Object.keys(told).sort(), ['error', 'status', 'user']);
    }
  }
});
