/**
 * Goes round and round what a set or map has, a part at a time: what is to be done for everybody once in a while needs
 * not be done for all at once. Whoever is added or deleted meanwhile is met or not; nobody is met twice in a round, and
 * whoever stays is met in each, however many come and go.
 */
export class Rounds<T> {
  readonly #everybody: { values(): Iterator<T>; readonly size: number };
  #rest: Iterator<T> = [].values();
  /** A round ends behind as many as there were at its start: newcomers stand at the end and would make it endless. */
  #leftInRound = 0;

  constructor(everybody: { values(): Iterator<T>; readonly size: number }) {
    this.#everybody = everybody;
  }

  /**
   * Calls for the next ones in turn.
   *
   * @param part how much of a round, up to 1; at least one is met when there is one.
   */
  go(part: number, call: (one: T) => void): void {
    for (let left = Math.ceil(this.#everybody.size * part); left > 0; left--) {
      let next = this.#leftInRound > 0 ? this.#rest.next() : undefined;
      if (next === undefined || next.done) {
        this.#rest = this.#everybody.values();
        this.#leftInRound = this.#everybody.size;
        next = this.#rest.next();
      }
      if (next.done) return;
      this.#leftInRound--;
      call(next.value);
    }
  }
}
