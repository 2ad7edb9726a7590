/**
 * The end of a turn of the event loop: what the turn has given to links is written then, at once for all its requests. Whoever
 * says that something was written waits for that: a process that dies in between must not have said what is not true.
 */
export class LinkTurn {
  #calls: (() => void)[] = [];

  /** Calls at the end of the turn, in the order of these calls. */
  readonly soon = (call: () => void): void => {
    if (this.#calls.push(call) === 1) setImmediate(this.#end);
  };

  /** Calls when everything that was given to links before is written: at once, when nothing is to be. */
  readonly whenWritten = (call: () => void): void => {
    if (this.#calls.length === 0) call();
    else this.#calls.push(call);
  };

  readonly #end = (): void => {
    const calls = this.#calls;
    this.#calls = [];
    for (const call of calls) call();
  };
}
