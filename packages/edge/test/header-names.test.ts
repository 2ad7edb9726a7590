import { inProcessMembership } from '@pinwheel/membership';
import { createNode } from '@pinwheel/node';
import t from 'tap';
import { createEdge, type Edge } from '../src/index.js';
import { foreignSituation } from './foreign-situation.js';
import { RawClient, upgradeText } from './raw-client.js';

/** Every sign that node:http takes in a name and uWebSockets.js does not. */
const signs = [..."!#$%&'*+.^_`|~"];
const tracking = { joinQuietMs: 10, joinLongestMs: 100 };

async function status(edge: Edge, text: string): Promise<RawClient> {
  const client = await new RawClient(edge.port).write(text).answered();
  client.socket.destroy();
  return client;
}

const upgradeWith = (header: string): string => upgradeText('/ws?user=u', { [header]: '1' });
const plainWith = (header: string): string => `GET /x?user=u HTTP/1.1\r\nHost: x\r\n${header}: 1\r\n\r\n`;

t.test('names of headers, through a tunnel to a node', async (t) => {
  const membership = inProcessMembership();
  const node = await createNode({ id: 'n1', membership, tracking });
  await node.ready();
  const edge = await createEdge({ id: 'e1', upstream: 'tunnel', membership, tracking });
  t.teardown(async () => {
    await edge.close();
    await node.close();
    await membership.close();
  });
  for (const [what, text, otherwise] of [
    ['an upgrade', upgradeWith, 101],
    ['a plain request', plainWith, 426],
  ] as const) {
    for (const sign of signs) {
      const name = `x${sign}y`;
      const client = await status(edge, text(name));
      t.equal(client.status, 400, `${what} with ${name}`);
      const message = `there is a header ${JSON.stringify(name)}; names of headers must be letters, digits and hyphens`;
      t.same(JSON.parse(String(client.body)), { error: { code: 'bad-request', message } });
    }
    t.equal((await status(edge, text('X-1-y'))).status, otherwise, `${what} with what may be there`);
    t.equal((await status(edge, text('x_user'))).status, otherwise, `${what} with what is not passed on`);
  }
  const metrics = await edge.metrics();
  for (const counted of ['upgrades', 'requests']) {
    t.match(metrics, `pinwheel_edge_${counted}_total{outcome="bad-request"} ${signs.length}`);
  }
});

t.test('names of headers, through a tunnel to a foreign backend', async (t) => {
  const { backend, edge } = await foreignSituation(t);
  for (const sign of signs) {
    const name = `x${sign}y`;
    t.equal((await status(edge, upgradeWith(name))).status, 101);
    t.equal(backend.requests.at(-1)?.headers[name], '1', `an upgrade with ${name}`);
    t.equal((await status(edge, plainWith(name))).status, 200);
    t.equal(backend.requests.at(-1)?.headers[name], '1', `a plain request with ${name}`);
  }
});
