import { pause } from '@pinwheel/bench/load/pause.js';
import { sessionsAt } from './sessions-at.js';

/** What to look at: the ports of the node that will drain and of the one that takes its users, and how often. */
export interface Looks {
  readonly leaving: number;
  readonly staying: number;
  readonly everyMs: number;
}

/** Times in ms from when the drain was asked for. */
export interface Moved {
  /** Until the first user had left, the last had, and the other node had all of them. */
  readonly firstMs: number;
  readonly lastMs: number;
  readonly inAllMs: number;
}

const deadlineMs = 60_000;
const { leaving, staying, everyMs } = JSON.parse(process.argv[2]!) as Looks;

// It looks all the time, not only while users move: to be looked at costs the nodes something.
let from = 0;
let to = 0;
let looked = (): void => {};
const look = async (): Promise<never> => {
  for (;;) {
    [from, to] = await Promise.all([sessionsAt(leaving), sessionsAt(staying)]);
    looked();
    await pause(everyMs);
  }
};

async function drain(): Promise<Moved> {
  const users = from + to;
  const movers = from;
  const askedAt = performance.now();
  const { ok } = await fetch(`http://127.0.0.1:${leaving}/v1/drain`, { method: 'POST' });
  if (!ok) throw new Error(`the node at port ${leaving} does not drain`);
  let firstMs: number | undefined;
  let lastMs: number | undefined;
  for (;;) {
    await new Promise<void>((resolve) => {
      looked = resolve;
    });
    const ms = performance.now() - askedAt;
    if (from < movers) firstMs ??= ms;
    if (from === 0) lastMs ??= ms;
    if (to === users) return { firstMs: firstMs ?? ms, lastMs: lastMs ?? ms, inAllMs: ms };
    if (ms > deadlineMs) throw new Error(`port ${staying} has ${to} sessions after ${deadlineMs} ms`);
  }
}

process.on('message', () => void drain().then((moved) => process.send?.(moved)));
process.once('disconnect', () => process.exit());
process.send?.('started');
await look();
