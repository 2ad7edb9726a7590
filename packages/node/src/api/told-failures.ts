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
  readonly #failed = new Map<string, { readonly at: number; isOver: boolean }>();

  /** @param now ms on a clock that only goes forward. */
  constructor(log: Log, now: () => number = () => performance.now()) {
    this.#log = log;
    this.#now = now;
  }

  failed(member: string, error: unknown): void {
    // this node ends
    if (error instanceof PinwheelError && error.code === 'closed') return;
    const now = this.#now();
    const last = this.#failed.get(member);
    if (last !== undefined && (!last.isOver || now < last.at + pauseMs)) return;
    if (this.#failed.size >= maxRemembered) this.#failed.clear();
    this.#failed.set(member, { at: now, isOver: false });
    const reason = reasonOf(error);
    this.#log.warn({ member, reason }, 'a node cannot be asked about users who move; trying again');
  }

  answered(member: string): void {
    const last = this.#failed.get(member);
    if (last === undefined || last.isOver) return;
    last.isOver = true;
    this.#log.info({ member }, 'a node can be asked about users who move again');
  }
}
