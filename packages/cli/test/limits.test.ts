import { freePort } from '@pinwheel/bench/load/free-ports.js';
import t from 'tap';
import WebSocket from 'ws';
import {
  connected,
  Neighbour,
  type Origin,
  sendUntilClosed,
  tryToConnect,
} from '../../../test/kit/limited-client.js';
import type { EdgeFacts, NodeFacts } from '../../../test/kit/link-service.js';
import { startPinwheel } from '../../../test/kit/pinwheel-process.js';
import { until } from '../../../test/kit/until.js';
import { RawClient } from '../../edge/test/raw-client.js';
import { temporaryFiles } from './kit/files.js';

const file = temporaryFiles(t);
const saidEachTime = 5;
const behindProxy = (address: string): Origin => ({ headers: { 'x-forwarded-for': address } });

/** A node as a process, with an application that echoes. */
async function startNode(flags: readonly string[]) {
  const [port, wsPort] = [await freePort(), await freePort()];
  const entry = { id: 'n1', address: '127.0.0.1', port, wsPort };
  const membership = `static:${file('members.json', JSON.stringify({ members: [entry] }))}`;
  const app = file('echo.mjs', 'export const onMessage = ({ data, reply }) => void reply(data);');
  const ports = ['--port', String(port), '--ws-port', String(wsPort), '--app', app];
  const words = ['node', '--id', 'n1', '--membership', membership, ...ports, ...flags];
  await startPinwheel<NodeFacts>(t, words);
  return { membership, port, wsPort };
}

async function startEdge(membership: string, flags: readonly string[]) {
  const words = ['edge', '--id', 'e1', '--membership', membership, '--port', '0', '--admin-port', '0'];
  const { facts } = await startPinwheel<EdgeFacts>(t, [...words, ...flags]);
  const admin = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${facts.adminPort}${path}`);
  return {
    port: facts.port,
    readyStatus: async () => (await admin('/readyz')).status,
    reached: async () => reachedOf(await (await admin('/metrics')).text()),
  };
}

/** The bounds that were reached, and how often. */
function reachedOf(metrics: string): Readonly<Record<string, number>> {
  const lines = metrics.matchAll(/^pinwheel_\w+_limits_reached_total\{limit="([\w-]+)"\} ([1-9]\d*)$/gm);
  return Object.fromEntries([...lines].map(([, limit, count]) => [limit, Number(count)]));
}

t.test('the bounds of the command line are those of the process', async (t) => {
  const node = await startNode(['--max-connections', '3', '--max-connections-per-user', '1']);
  const { membership } = node;
  t.test('a link edge', async (t) => {
    const people = ['--max-connections', '4', '--max-connections-per-user', '1'];
    const places = ['--max-connections-per-address', '2', '--trusted-proxies', '127.0.0.0/8'];
    const rates = ['--messages-per-second', '40', '--head-timeout-ms', '500'];
    const edge = await startEdge(membership, [...people, ...places, ...rates]);
    const alice = new Neighbour(await connected(t, edge.port, 'alice', behindProxy('192.0.2.1')));
    const bob = await connected(t, edge.port, 'bob', behindProxy('192.0.2.1'));
    const carol = await tryToConnect(t, edge.port, 'carol', behindProxy('192.0.2.1'));
    t.match(carol, { status: 429, retryAfter: '1', code: 'limit-reached' }, 'the address has two');
    const again = await tryToConnect(t, edge.port, 'alice', behindProxy('192.0.2.2'));
    t.match(again, { status: 429, retryAfter: '1', code: 'limit-reached' }, 'the user has one');
    for (const user of ['dave', 'erin']) await connected(t, edge.port, user, behindProxy('192.0.2.3'));
    const last = await tryToConnect(t, edge.port, 'frank', behindProxy('192.0.2.4'));
    t.match(last, { status: 503, retryAfter: '1', code: 'overloaded' }, 'the edge has four');
    t.equal(await sendUntilClosed(bob, 'x'), 4007, 'bob says too much');
    t.equal((await new RawClient(edge.port).gone()).text, '', 'who says nothing is ended');
    t.ok(await alice.says(saidEachTime), 'the neighbour notices nothing');
    const once = {
      'head-time': 1,
      connections: 1,
      'user-connections': 1,
      'address-connections': 1,
      'connection-rate': 1,
    };
    t.same(await edge.reached(), once);
  });

  t.test('a tunnel edge', async (t) => {
    const rates = ['--connects-per-second', '2', '--bytes-per-second-per-user', '90000'];
    const edge = await startEdge(membership, ['--upstream', 'tunnel', ...rates, '--head-timeout-ms', '200']);
    const tina = new Neighbour(await connected(t, edge.port, 'tina'));
    const uwe = await connected(t, edge.port, 'uwe');
    t.equal(await sendUntilClosed(uwe, 'x'.repeat(60_000)), 4007, 'uwe says too much');
    const fast = await until('they come too fast', async () => {
      const answer = await tryToConnect(t, edge.port, 'vera');
      if (!(answer instanceof WebSocket)) return answer;
      answer.terminate();
      return undefined;
    });
    t.match(fast, { status: 503, retryAfter: '1', code: 'overloaded' });
    const silent = await new RawClient(edge.port).gone();
    t.equal(silent.status, 408, 'who says nothing is told so');
    t.ok(await tina.says(saidEachTime), 'the neighbour notices nothing');
    t.same(Object.keys(await edge.reached()).sort(), ['connects', 'head-time', 'user-rate']);
  });

  t.test('an edge that has more memory than it may', async (t) => {
    const edge = await startEdge(membership, ['--max-rss-bytes', '16777216']);
    await until('it says so', async () => (await edge.readyStatus()) === 503);
    const refused = await tryToConnect(t, edge.port, 'alice');
    t.match(refused, { status: 503, retryAfter: '1', code: 'overloaded' });
    t.same(await edge.reached(), { memory: 1 });
  });

  t.test('a node’s own port', async (t) => {
    // the tunnels of before may be there for a moment
    const taken = (user: string): Promise<WebSocket> =>
      until(`there is room for ${user}`, async () => {
        const answer = await tryToConnect(t, node.wsPort, user);
        return answer instanceof WebSocket && answer;
      });
    const alice = new Neighbour(await taken('alice'));
    const again = await tryToConnect(t, node.wsPort, 'alice');
    t.match(again, { status: 429, retryAfter: '1', code: 'limit-reached' });
    for (const user of ['bob', 'carol']) await taken(user);
    const last = await tryToConnect(t, node.wsPort, 'dave');
    t.match(last, { status: 503, retryAfter: '1', code: 'overloaded' });
    t.ok(await alice.says(saidEachTime), 'the neighbour notices nothing');
    const metrics = await (await fetch(`http://127.0.0.1:${node.port}/metrics`)).text();
    t.same(Object.keys(reachedOf(metrics)).sort(), ['connections', 'user-connections']);
  });
});
