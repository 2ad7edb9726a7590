/** Messages that were moved say where they came from; a server reads at most eight places. */
const maxStreams = 4;

/** What a client has: of each stream everything up to and including a seq. */
export class Positions {
  /** The streams before the present one, oldest first. */
  readonly #earlier = new Map<string, number>();
  #stream: string | undefined;
  #seq = 0;

  /** The last seq of the present stream. */
  get seq(): number {
    return this.#seq;
  }

  /** Whether there is a stream. */
  get isKnown(): boolean {
    return this.#stream !== undefined;
  }

  /** What follows comes behind this seq of this stream; only the server knows whether that goes back. */
  enter(stream: string, seq: number): void {
    if (this.#stream !== undefined) this.#earlier.set(this.#stream, this.#seq);
    this.#earlier.delete(stream);
    while (this.#earlier.size >= maxStreams) this.#earlier.delete(this.#earlier.keys().next().value!);
    this.#stream = stream;
    this.#seq = seq;
  }

  /** A message with this seq has come: whether that is further. */
  advance(seq: number): boolean {
    if (seq <= this.#seq) return false;
    this.#seq = seq;
    return true;
  }

  /** For a hello, the newest first. */
  list(): readonly (readonly [stream: string, seq: number])[] {
    const earlier = [...this.#earlier].reverse();
    return this.#stream === undefined ? earlier : [[this.#stream, this.#seq], ...earlier];
  }
}
