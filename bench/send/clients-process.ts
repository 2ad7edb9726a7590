import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Arrivals } from '@pinwheel/bench/load/arrivals.js';
import { pathOf } from '@pinwheel/bench/load/raw-client.js';
import { type Closed, ReturningClients } from '@pinwheel/bench/load/returning-clients.js';
import { createRingTracker, staticMembership } from '@pinwheel/membership';
import { boundHeaders, KeyRing, Signer } from '@pinwheel/trust';

export interface ClientsStatus {
  readonly connected: number;
  readonly received: number;
  /** Messages that came after a later one of the same user. */
  readonly disordered: number;
  readonly refused: number;
  readonly closed: readonly Closed[];
  /** How late this process may have noticed something. */
  readonly longestStallMs: number;
  readonly cpuMicros: number;
}

export type ClientsQuestion = { readonly connect: readonly string[] } | 'status' | 'counts';

const [path, keys] = process.argv.slice(2);
const signer = keys === undefined ? undefined : new Signer({ current: KeyRing.parse(keys) });
const tracker = createRingTracker({ membership: staticMembership(path!, { pollMs: 100 }) });
await tracker.start();

const stalls = monitorEventLoopDelay({ resolution: 10 });
stalls.enable();

const arrivals = new Arrivals();
const clients = new ReturningClients({
  arrivals,
  targetOf(user) {
    const { ring, members } = tracker.current;
    const id = ring.owner(user) ?? '';
    const port = members.get(id)?.wsPort;
    if (port === undefined) return undefined;
    const call = { method: 'GET', target: pathOf(user), to: id, headers: boundHeaders(() => undefined) };
    const proof = signer === undefined ? {} : { proof: signer.sign(call) };
    return { port, user, fingerprint: ring.fingerprint, ...proof };
  },
});

function status(): ClientsStatus {
  const { user, system } = process.cpuUsage();
  const { received, disordered } = arrivals;
  const { connected, refused, closed } = clients;
  const longestStallMs = stalls.max / 1e6;
  return { connected, received, disordered, refused, closed, longestStallMs, cpuMicros: user + system };
}

process.on('message', async (question: ClientsQuestion) => {
  if (typeof question === 'object') {
    await clients.connect(question.connect);
    stalls.reset();
  }
  process.send?.(question === 'counts' ? arrivals.counts : status());
});
process.once('disconnect', () => process.exit());
process.send?.('started');
