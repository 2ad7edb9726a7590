import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import t from 'tap';
import { WebSocket } from 'ws';
import { rawCall } from '../../../test/kit/raw-call.js';
import { startNodes } from './kit/nodes.js';
import { request } from './kit/requests.js';

/** The status of an upgrade to a link; 101 when it is taken. */
async function link(port: number, origin?: string): Promise<number> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/link`, origin === undefined ? {} : { origin });
  socket.on('error', () => {});
  const refused = once(socket, 'unexpected-response').then(([, answer]) => answer as IncomingMessage);
  const taken = once(socket, 'open').then(() => undefined);
  const answer = await Promise.race([refused, taken]);
  socket.terminate();
  return answer?.statusCode ?? 101;
}

t.test('pages of others that a browser on the machine has open, at a node without keys', async (t) => {
  const node = (await startNodes(t, ['n1'])).of('n1');
  const from = (origin: string) => [['Origin', origin] as const];
  for (const origin of ['https://evil.example', 'null']) {
    for (const target of ['/v1/broadcast', '/v1/drain', '/v1/users/ann/messages', '/v1/ring/accept']) {
      const { status, body } = await rawCall(node.port, { target, body: 'x', headers: from(origin) });
      t.equal(status, 403, `${target} for ${origin}`);
      t.match(JSON.parse(body), { error: { code: 'not-allowed', message: /give keys/ } });
    }
    t.equal(await link(node.port, origin), 403);
  }
  const { status } = await rawCall(node.port, {
    method: 'GET',
    target: '/healthz',
    headers: from('https://evil.example'),
  });
  t.equal(status, 200, 'what is open to everybody is open to them');
  t.equal((await request(node, 'GET', '/readyz')).status, 200, 'it does not drain');
  for (const headers of [[], from('http://localhost:3000'), from('http://[::1]:3000')]) {
    const { status } = await rawCall(node.port, { target: '/v1/ring/accept', headers });
    t.equal(status, 200, 'others may ask');
  }
  t.same([await link(node.port), await link(node.port, 'http://localhost:3000')], [101, 101]);
  const client = new WebSocket(`ws://127.0.0.1:${node.wsPort}/?user=ann`, { origin: 'https://shop.example' });
  await once(client, 'open');
  client.terminate();
});
