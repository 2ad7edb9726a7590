import { type Log, reasonOf } from '@pinwheel/membership';
import { PinwheelError } from '@pinwheel/protocol';

/** Nodes that are remembered; when there are more, all may be named again. */
const maxRemembered = 1000;

/** Says in the log of each node that it cannot be asked, at the first failure of those in a row, and when it can be again. */
export class ToldFailures {
  readonly #log: Log;
  readonly #failing = new Set<string>();

  constructor(log: Log) {
    this.#log = log;
  }

  failed(member: string, error: unknown): void {
    // this node ends
    if (error instanceof PinwheelError && error.code === 'closed') return;
    if (this.#failing.has(member)) return;
    if (this.#failing.size >= maxRemembered) this.#failing.clear();
    this.#failing.add(member);
    const reason = reasonOf(error);
    this.#log.warn({ member, reason }, 'a node cannot be asked about users who move; trying again');
  }

  answered(member: string): void {
    if (this.#failing.delete(member))
      this.#log.info({ member }, 'a node can be asked about users who move again');
  }
}
