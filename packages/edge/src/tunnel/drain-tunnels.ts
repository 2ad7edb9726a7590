import { performance } from 'node:perf_hooks';
import { closeCodes, closeReasonOf } from '@pinwheel/protocol';
import { longestAwayMs } from '../longest-away.js';
import type { CloseReason } from '../metrics/edge-counters.js';

interface Drainable {
  close(code: number, closeReason: string, reason: CloseReason): void;
}

export interface DrainTunnelsOptions {
  readonly tunnels: ReadonlySet<Drainable>;
  /** Every client's socket: the drain is over when there is none. */
  readonly sockets: ReadonlySet<unknown>;
  /** Closes sockets that only wait for a next request. */
  readonly closeIdle: () => void;
  /** The deadline, and the time over which the clients' returns are spread, in ms; nobody is away for longer than 30 s. */
  readonly windowMs: number;
}

/** A turn of the event loop closes this many: the others' messages go on in between. */
const tunnelsPerTurn = 200;
const pollMs = 10;

/**
 * Tells every tunnel's client when to come back: each has a part of the window of its own, so that the other edges see an even
 * stream rather than a storm, whatever the clients' own jitter. Resolves when all sockets are gone, or at the deadline.
 */
export async function drainTunnels(options: DrainTunnelsOptions): Promise<void> {
  const deadlineAt = performance.now() + options.windowMs;
  const tunnels = shuffled([...options.tunnels]);
  for (const [i, tunnel] of tunnels.entries()) {
    if (i > 0 && i % tunnelsPerTurn === 0) await new Promise((resolve) => setImmediate(resolve));
    const retryAfterMs = ((i + Math.random()) / tunnels.length) * Math.min(options.windowMs, longestAwayMs);
    tunnel.close(closeCodes.moved.code, closeReasonOf(retryAfterMs), 'drained');
  }
  while (options.sockets.size > 0 && performance.now() < deadlineAt) {
    options.closeIdle();
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

/** Neighbours in the table often came together: their turns must not. */
function shuffled<T>(list: T[]): T[] {
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [list[i], list[j]] = [list[j]!, list[i]!];
  }
  return list;
}
