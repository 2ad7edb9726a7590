import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { freePort } from '@pinwheel/bench/load/free-ports.js';
import t from 'tap';
import WebSocket from 'ws';
import { fewDescriptors, withFewDescriptors } from '../../../test/kit/few-descriptors.js';
import { connected, Neighbour, tryToConnect } from '../../../test/kit/limited-client.js';
import type { EdgeFacts } from '../../../test/kit/link-service.js';
import { startPinwheel } from '../../../test/kit/pinwheel-process.js';
import { until } from '../../../test/kit/until.js';
import { temporaryFiles } from './kit/files.js';

const file = temporaryFiles(t);
const saidEachTime = 5;
const atATime = 32;

/** Where clients connect, in a process with few descriptors. */
interface Front {
  readonly pid: number;
  readonly port: number;
  /** Where it is asked for its metrics. */
  readonly adminPort: number;
  log(): string;
}

async function startNode(isLimited: boolean): Promise<Front & { readonly membership: string }> {
  const [port, wsPort] = [await freePort(), await freePort()];
  const entry = { id: 'n1', address: '127.0.0.1', port, wsPort };
  const membership = `static:${file('members.json', JSON.stringify({ members: [entry] }))}`;
  const app = file('echo.mjs', 'export const onMessage = ({ data, reply }) => void reply(data);');
  const words = ['node', '--id', 'n1', '--membership', membership, '--app', app];
  const ports = ['--port', String(port), '--ws-port', String(wsPort)];
  const { pid, log } = await startPinwheel(t, [...words, ...ports], {}, [], limited(isLimited));
  return { pid, port: wsPort, adminPort: port, log, membership };
}

async function startEdge(upstream: 'link' | 'tunnel'): Promise<Front> {
  const { membership } = await startNode(false);
  const words = ['edge', '--id', 'e1', '--membership', membership, '--port', '0', '--admin-port', '0'];
  const flags = ['--upstream', upstream];
  const { pid, facts, log } = await startPinwheel<EdgeFacts>(t, [...words, ...flags], {}, [], limited(true));
  return { pid, port: facts.port, adminPort: facts.adminPort, log };
}

function limited(isLimited: boolean) {
  return isLimited ? withFewDescriptors : undefined;
}

function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** So many that say nothing. */
function silent(port: number, count: number): readonly Socket[] {
  return Array.from({ length: count }, () => connect(port, '127.0.0.1').on('error', () => {}));
}

/** Clients who are taken, and go. */
async function comeAndGo(port: number, count: number): Promise<void> {
  const clients = Array.from({ length: count }, () => new WebSocket(`ws://127.0.0.1:${port}/ws?user=dave`));
  await Promise.all(clients.map((client) => once(client, 'open')));
  const gone = clients.map((client) => once(client, 'close'));
  for (const client of clients) client.close();
  await Promise.all(gone);
}

const fronts: Readonly<Record<string, () => Promise<Front>>> = {
  'a link edge': () => startEdge('link'),
  'a tunnel edge': () => startEdge('tunnel'),
  'a node’s own port': () => startNode(true),
};

for (const [what, start] of Object.entries(fronts)) {
  t.test(`${what} keeps descriptors for itself, however many come`, async (t) => {
    const { pid, port, adminPort, log } = await start();
    const get = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${adminPort}${path}`);
    const neighbour = new Neighbour(await connected(t, port, 'alice'));
    t.ok(await neighbour.says(saidEachTime), 'the neighbour is served');
    t.match(log(), new RegExp(`"maxOpenFiles":${fewDescriptors},"maxConnections":100000,"possible":\\d+`));

    const flood = silent(port, 2 * fewDescriptors);
    const endFlood = (): void => {
      for (const socket of flood) socket.destroy();
    };
    t.teardown(endFlood);
    await until('it is not ready', async () => (await get('/readyz')).status === 503);
    t.match(await (await get('/readyz')).text(), /the limit of open files leaves room for no more clients/);
    const metrics = await (await get('/metrics')).text();
    t.match(metrics, /^pinwheel_client_sockets\{.*of="open".*\} \d{2,}$/m);
    t.match(metrics, /^pinwheel_client_sockets\{.*of="bound".*\} (96|192)$/m);
    t.match(metrics, /limits_reached_total\{limit="sockets"\} [1-9]/, 'those that are closed are counted');
    t.match(log(), /the limit of open files leaves room for no more clients: new connections are closed/);
    t.ok(await neighbour.says(saidEachTime), 'the neighbour notices nothing');
    // a process that cannot take the connections that wait would be busy with them all the time
    await until('it is not busy', async () => {
      const [before, since] = [cpuSeconds(pid), performance.now()];
      await until('half a second', () => performance.now() > since + 500);
      return cpuSeconds(pid) - before < 0.25;
    });

    endFlood();
    await until('new clients are taken again', async () => {
      return (await tryToConnect(t, port, 'bob')) instanceof WebSocket;
    });
    t.equal((await get('/readyz')).status, 200);
    for (let gone = 0; gone < 2 * fewDescriptors; gone += atATime) await comeAndGo(port, atATime);
    t.ok((await tryToConnect(t, port, 'carol')) instanceof WebSocket, 'those who went left their room');
    t.ok(await neighbour.says(saidEachTime), 'and the neighbour has noticed nothing still');
  });
}
