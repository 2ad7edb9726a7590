import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createRingTracker, staticMembership } from '@pinwheel/membership';
import { maxMessages, numberOf } from './message-number.js';
import { RawClient } from './raw-client.js';

/** A connection that was ended by the other side. */
export interface Closed {
  readonly user: string;
  readonly code: number;
  readonly atMs: number;
  /** When the user was connected again; 0 while it is not. */
  backAtMs: number;
}

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

const path = process.argv[2]!;
const connectingAtOnce = 100;
const againMs = 20;
const tracker = createRingTracker({ membership: staticMembership(path, { pollMs: 100 }) });
await tracker.start();

const stalls = monitorEventLoopDelay({ resolution: 10 });
stalls.enable();

/** How often each message came, by its number. */
const counts = new Uint8Array(maxMessages);
const closed: Closed[] = [];
let connected = 0;
let received = 0;
let disordered = 0;
let refused = 0;

/** Holds the user's connection for good: where the ring says, and again where it says then. */
function attach(user: string, connectedFirst: () => void): void {
  let last = -1;
  let lastClosed: Closed | undefined;
  const open = (): void => {
    const { ring, members } = tracker.current;
    const port = members.get(ring.owner(user) ?? '')?.wsPort;
    if (port === undefined) {
      setTimeout(open, againMs);
      return;
    }
    const target = { port, user, fingerprint: ring.fingerprint };
    new RawClient(target, {
      opened() {
        connected++;
        if (lastClosed === undefined) connectedFirst();
        else lastClosed.backAtMs = now();
      },
      message(bytes, from, to) {
        const number = numberOf(bytes, from, to);
        counts[number]!++;
        received++;
        if (number < last) disordered++;
        last = number;
      },
      refused() {
        refused++;
        setTimeout(open, againMs);
      },
      closed(code, reason) {
        connected--;
        lastClosed = { user, code, atMs: now(), backAtMs: 0 };
        closed.push(lastClosed);
        setTimeout(open, code === 4000 ? JSON.parse(reason).retryAfterMs : againMs);
      },
    });
  };
  open();
}

/** In ms since the epoch, finer than `Date.now`. */
function now(): number {
  return performance.timeOrigin + performance.now();
}

async function attachAll(users: readonly string[]): Promise<void> {
  for (let i = 0; i < users.length; i += connectingAtOnce) {
    await Promise.all(
      users
        .slice(i, i + connectingAtOnce)
        .map((user) => new Promise<void>((resolve) => attach(user, resolve))),
    );
  }
}

function status(): ClientsStatus {
  const { user, system } = process.cpuUsage();
  const longestStallMs = stalls.max / 1e6;
  return { connected, received, disordered, refused, closed, longestStallMs, cpuMicros: user + system };
}

process.on('message', async (question: ClientsQuestion) => {
  if (typeof question === 'object') {
    await attachAll(question.connect);
    stalls.reset();
  }
  process.send?.(question === 'counts' ? counts : status());
});
process.once('disconnect', () => process.exit());
process.send?.('started');
