import { Child } from '@pinwheel/bench/load/child.js';
import { numberedMessage } from '@pinwheel/bench/load/message-number.js';
import { pause } from '@pinwheel/bench/load/pause.js';
import { userNames } from '@pinwheel/bench/load/users.js';
import { consulMembership } from '@pinwheel/membership';
import { createSender } from '@pinwheel/sender';
import { startConsul } from '../../test/kit/consul.js';
import { type PinwheelProcess, startPinwheel } from '../../test/kit/pinwheel-process.js';
import { hand } from '../kit/fresh-process.js';
import type { ClientsQuestion, ClientsStatus } from './clients-process.js';
import { percentile } from './journeys.js';

const quick = process.argv.includes('--quick');
const users = userNames(quick ? 300 : 1200);
const askedAgainMs = 50;
const deadlineMs = 30_000;
const settledMs = 2000;

const ends: (() => void | Promise<void>)[] = [];
const t = { teardown: (end: () => void | Promise<void>) => void ends.unshift(end) };
try {
  await sample();
} finally {
  for (const end of ends) await end();
}
process.exit();

async function sample(): Promise<void> {
  const consul = await startConsul(t);
  const url = consul.url('chat');
  const start = (words: readonly string[]) =>
    startPinwheel<{ readonly port: number }>(t, [...words, '--membership', url, '--log-level', 'warn']);
  const nodes = new Map<string, PinwheelProcess<{ readonly port: number }>>();
  for (const id of ['n1', 'n2', 'n3']) nodes.set(id, await start(['node', '--id', id]));
  const edges = [];
  for (const id of ['e1', 'e2'])
    edges.push(await start(['edge', '--id', id, '--port', '0', '--upstream', 'link']));
  const membership = consulMembership({ host: consul.host, port: consul.port, service: 'chat' });
  const sender = createSender({ membership });
  await sender.ready();
  t.teardown(async () => {
    await sender.close();
    await membership.close();
  });
  const way = JSON.stringify({ ports: edges.map(({ facts }) => facts.port) });
  const clients = await Child.start<ClientsQuestion, ClientsStatus>(
    new URL('./clients-process.ts', import.meta.url),
    [way],
  );
  t.teardown(() => clients.stop());
  await clients.ask({ connect: users });
  let sent = 0;
  const delivered: number[] = [];
  const holders = new Map<string, string>();

  /** Sends until a message is delivered. */
  const reach = async (user: string): Promise<void> => {
    const last = performance.now() + deadlineMs;
    for (;;) {
      const number = sent++;
      const { status } = await sender.send(user, numberedMessage(number));
      if (status === 'delivered') {
        delivered.push(number);
        return;
      }
      if (performance.now() > last) throw new Error(`${user} is ${status} after ${deadlineMs} ms`);
      await pause(askedAgainMs);
    }
  };
  await Promise.all(users.map(reach));
  const anyNode = nodes.get('n2')!.facts.port;
  for (const user of users) holders.set(user, await holderOf(anyNode, user));
  const struck = users.filter((user) => holders.get(user) === 'n1');
  const spared = users.filter((user) => holders.get(user) !== 'n1');

  const killedAt = performance.now();
  nodes.get('n1')!.signal('SIGKILL');
  const timed = async (user: string): Promise<number> => {
    await reach(user);
    return performance.now() - killedAt;
  };
  const [struckMs, sparedMs] = await Promise.all([
    Promise.all(struck.map(timed)),
    Promise.all(spared.map(timed)),
  ]);
  await pause(settledMs);
  const counts = await clients.ask<Uint8Array>('counts');
  const { connected, disordered } = await clients.ask('status');
  hand({
    users: struck.length,
    p50Ms: percentile(struckMs, 0.5),
    p99Ms: percentile(struckMs, 0.99),
    maxMs: Math.max(...struckMs),
    othersMaxMs: Math.max(...sparedMs),
    lost: delivered.filter((number) => counts[number] === 0).length,
    duplicated: counts.subarray(0, sent).filter((count) => count > 1).length,
    disordered,
    closed: users.length - connected,
  });
}

async function holderOf(port: number, user: string): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/v1/users/${user}`);
  return ((await answer.json()) as { readonly holder: string }).holder;
}
