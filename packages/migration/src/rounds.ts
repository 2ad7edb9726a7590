/**
 * Goes round and round what a set or map has, a part at a time: what is to be done for everybody once in a while needs
 * not be done for all at once. Whoever is added or deleted meanwhile is met or not; nobody is met twice in a round.
 */
export class Rounds<T> {
  readonly #everybody: { values(): Iterator<T>; readonly size: number };
  #rest: Iterator<T>;

  constructor(everybody: { values(): Iterator<T>; readonly size: number }) {
    this.#everybody = everybody;
    this.#rest = everybody.values();
  }

  /**
   * Calls for the next ones in turn.
   *
   * @param part how much of a round, up to 1; at least one is met when there is one.
   */
  go(part: number, call: (one: T) => void): void {
    for (let left = Math.ceil(this.#everybody.size * part); left > 0; left--) {
      let next = this.#rest.next();
      if (next.done) {
        this.#rest = this.#everybody.values();
        next = this.#rest.next();
      }
      if (next.done) return;
      call(next.value);
    }
  }
}
