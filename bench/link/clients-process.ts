import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Arrivals } from '@pinwheel/bench/load/arrivals.js';
import { ClientPool } from './client-pool.js';
import { clientTargets, type Way } from './client-targets.js';

export interface ClientsStatus {
  readonly connected: number;
  readonly received: number;
  /** Messages that came after a later one of the same user. */
  readonly disordered: number;
  /** Connections that the other side has ended, by close code. */
  readonly closed: ReadonlyMap<number, number>;
  /** How late this process may have noticed something since it was last asked. */
  readonly longestStallMs: number;
}

export type ClientsQuestion =
  /** Answered with the names of so many connected users. */
  | { readonly pick: number }
  /** Answered with `Opened` of the pool. */
  | { readonly connect: readonly string[] }
  | 'disconnect'
  | 'status'
  /** Answered with the number alone: it is asked often. */
  | 'received'
  /** Answered with a `Uint8Array`: how often each message came. */
  | 'counts'
  /** Answered with a `Float64Array`: when each message came. */
  | 'micros';

const arrivals = new Arrivals();
const pool = new ClientPool(await clientTargets(JSON.parse(process.argv[2]!) as Way), arrivals);
const stalls = monitorEventLoopDelay({ resolution: 10 });
stalls.enable();

function status(): ClientsStatus {
  const { received, disordered } = arrivals;
  const longestStallMs = stalls.max / 1e6;
  stalls.reset();
  return { connected: pool.size, received, disordered, closed: pool.closed, longestStallMs };
}

async function answer(question: ClientsQuestion): Promise<unknown> {
  if (typeof question === 'object') {
    return 'pick' in question ? pool.pick(question.pick) : pool.connect(question.connect);
  }
  switch (question) {
    case 'disconnect':
      pool.disconnect();
      return status();
    case 'status':
      return status();
    case 'received':
      return arrivals.received;
    case 'counts':
      return arrivals.counts;
    case 'micros':
      return arrivals.micros;
    default:
      throw new RangeError(`asked for ${question satisfies never}`);
  }
}

process.on('message', (question: ClientsQuestion) => {
  void answer(question).then((said) => process.send?.(said));
});
process.once('disconnect', () => process.exit());
process.send?.('started');
