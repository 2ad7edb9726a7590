import t from 'tap';
import { WebSocket } from 'ws';
import { until } from '../../../test/kit/until.js';
import { connect } from '../src/index.js';
import { startRealService } from './kit/real-service.js';
import { startRelay } from './kit/relay.js';
import { pathOf } from './kit/service.js';

const acknowledgement = 5;

/** Reads everything, and acknowledges nothing. */
class Silent extends WebSocket {
  override send(data: string | Uint8Array): void {
    if (typeof data === 'string' || data[0] !== acknowledgement) super.send(data);
  }
}

t.test('a send that its sender asks about again, long after it has come, does not come again', async (t) => {
  const service = await startRealService(t);
  const relay = await startRelay(t, service.port);
  const start = (port: number, user: string, webSocket: typeof WebSocket, seen: unknown[] = []) => {
    const connection = connect(`ws://127.0.0.1:${port}${pathOf(user)}`, {
      webSocket,
      retry: { firstMs: 20, longestMs: 100 },
      onMessage: ({ data }) => seen.push(data),
    });
    t.teardown(() => connection.close());
    return { connection, seen };
  };
  const alice = start(relay.port, 'alice', WebSocket);
  const bob = start(service.port, 'bob', WebSocket);
  const silent = start(service.port, 'bob', Silent as typeof WebSocket);
  const all = [alice, bob, silent];
  await until('all are connected', () =>
    all.every(({ connection: { status } }) => status.state === 'connected'),
  );

  // its receipt waits for the silent one
  alice.connection.sendTo('bob', 'first', { wait: 'client' }).catch(() => {});
  await until('it has come', () => bob.seen.length === 1);
  relay.freeze();
  await silent.connection.close();
  const more = Array.from({ length: 600 }, (_, i) => `${i}`);
  for (const data of more) await service.send('bob', data);
  await until('the others have come, too', () => bob.seen.length > more.length);

  // the receipt is lost with the connection
  relay.thaw();
  relay.cut();
  await alice.connection.send('back');
  await service.send('bob', 'last');
  await until('the last one has come', () => bob.seen.includes('last'));
  t.same(bob.seen, ['first', ...more, 'last']);
});
