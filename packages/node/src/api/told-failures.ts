import { performance } from 'node:perf_hooks';
import { type Log, reasonOf } from '@pinwheel/membership';
import { PinwheelError } from '@pinwheel/protocol';

/** Nodes that are remembered; when there are more, all may be named again. */
const maxRemembered = 1000;
/** Between two failures of one node that are told, in ms: calls that run side by side may fail in turn with others. */
const pauseMs = 10_000;

/** Says in the log of each node that it cannot be asked, at the first failure of those in a row, and when it can be again. */
export class ToldFailures {
  readonly #log: Log;
  readonly #now: () => number;
  readonly #failing = new Set<string>();
  readonly #nextAt = new Map<string, number>();

  /** @param now ms on a clock that only goes forward. */
  constructor(log: Log, now: () => number = () => performance.now()) {
    this.#log = log;
    this.#now = now;
  }

  failed(member: string, error: unknown): void {
    // this node ends
    if (error instanceof PinwheelError && error.code === 'closed') return;
    const now = this.#now();
    if (this.#failing.has(member) || now < (this.#nextAt.get(member) ?? 0)) return;
    if (this.#nextAt.size >= maxRemembered) {
      this.#failing.clear();
      this.#nextAt.clear();
    }
    this.#failing.add(member);
    this.#nextAt.set(member, now + pauseMs);
    const reason = reasonOf(error);
    this.#log.warn({ member, reason }, 'a node cannot be asked about users who move; trying again');
  }

  answered(member: string): void {
    if (this.#failing.delete(member))
      this.#log.info({ member }, 'a node can be asked about users who move again');
  }
}
