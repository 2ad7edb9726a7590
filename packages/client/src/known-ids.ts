/**
 * More than a node remembers of a user, which are 256 beside what it keeps: a sender whose receipt was lost asks again up
 * to 30 s later, and of what came long before the node knows nothing any more.
 */
const windowSize = 1024;

/** The ids of the last messages: one that was moved or sent again may come by a second way, with another seq. */
export class KnownIds {
  readonly #known = new Set<string>();
  readonly #ring: string[] = [];
  #next = 0;

  /** Whether the id is new; if so, it is known now and the oldest may be forgotten. */
  add(id: string): boolean {
    if (this.#known.has(id)) return false;
    const oldest = this.#ring[this.#next];
    if (oldest !== undefined) this.#known.delete(oldest);
    this.#ring[this.#next] = id;
    this.#next = (this.#next + 1) % windowSize;
    this.#known.add(id);
    return true;
  }
}
