import { createConnection, type Socket } from 'node:net';
import t from 'tap';
import { until } from '../../../test/kit/until.js';
import { connect } from './kit/client.js';
import { startNodes } from './kit/nodes.js';
import { metric, postLines, request } from './kit/requests.js';

/** A client that upgrades and then reads nothing until it is told to. */
function unreadingClient(port: number, user: string): Socket {
  const socket = createConnection({ host: '127.0.0.1', port });
  const head = [
    'GET /ws?user=',
    user,
    ' HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n',
  ];
  socket.write(
    `${head.join('')}sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
  );
  socket.pause();
  return socket;
}

t.test('a client that never reads', async (t) => {
  const maxUnreadBytes = 262_144;
  const nodes = await startNodes(t, ['n1'], { maxUnreadBytes, stalledMs: 500 });
  const node = nodes.of('n1');
  const neighbour = await connect(t, node, 'neighbour');
  const slow = unreadingClient(node.wsPort, 'slow');
  t.teardown(() => slow.destroy());
  await until('it is there', () => node.sessions === 2);

  const statuses: unknown[] = [];
  const data = 'x'.repeat(65_536);
  let sent = 0;
  await until('its bound is reached', async () => {
    const receipts = await postLines(node, [
      { user: 'slow', data },
      { user: 'neighbour', data: `${sent++}` },
    ]);
    t.equal(receipts[1]?.['status'], 'delivered');
    statuses.push(receipts[0]?.['status']);
    return receipts[0]?.['status'] === 'overloaded' && receipts[0];
  });
  t.ok(statuses.slice(0, -1).every((status) => status === 'delivered'));
  t.ok((await metric(node, 'pinwheel_node_dropped_total')) > 0, 'it is counted');
  const broadcast = await request(node, 'POST', '/v1/broadcast', 'all', { 'content-type': 'text/plain' });
  t.same(broadcast.json, { nodes: 1, delivered: 1 }, 'a broadcast does not count it');

  await until('it is closed after stalledMs', () => node.sessions === 1);
  t.equal(await metric(node, 'pinwheel_node_closes_total{reason="too-slow"}'), 1);
  t.match(await postLines(node, [{ user: 'slow', data: 'x' }]), [{ status: 'offline' }]);
  await until('the neighbour has everything', () => neighbour.frames.length === sent + 1);
  t.same(
    neighbour.texts.slice(0, -1),
    Array.from({ length: sent }, (_, i) => `${i}`),
  );
  t.equal(neighbour.end, undefined);

  let read = Buffer.alloc(0);
  let over = false;
  slow.on('data', (chunk) => {
    read = Buffer.concat([read, chunk]);
  });
  slow.on('close', () => {
    over = true;
  });
  slow.on('error', () => {});
  slow.resume();
  await until('its socket is ended', () => over);
  const delivered = statuses.filter((status) => status === 'delivered').length;
  const frames = read.length - read.indexOf('\r\n\r\n') - 4;
  t.equal(Math.floor(frames / (data.length + 10)), delivered, 'it got what the receipts called delivered');
  t.ok(read.subarray(-40).includes('client does not read'), 'and the reason why it was closed');
});

t.test('a client that reads again in time goes on', async (t) => {
  const nodes = await startNodes(t, ['n1'], { maxUnreadBytes: 65_536, stalledMs: 60_000 });
  const node = nodes.of('n1');
  const client = await connect(t, node, 'ann');
  client.socket.pause();
  const data = 'x'.repeat(65_536);
  let delivered = 0;
  await until('its bound is reached', async () => {
    const [receipt] = await postLines(node, [{ user: 'ann', data }]);
    if (receipt?.['status'] === 'delivered') delivered++;
    return receipt?.['status'] === 'overloaded';
  });
  client.socket.resume();
  await until('it has read', () => client.frames.length === delivered);
  await until('messages are taken again', async () => {
    const [receipt] = await postLines(node, [{ user: 'ann', data: 'again' }]);
    return receipt?.['status'] === 'delivered';
  });
  await until('it arrives', () => client.texts.at(-1) === 'again');
  t.equal(client.frames.length, delivered + 1);
});
