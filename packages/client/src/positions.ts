/** A node knows where a user's messages came from for as long as it keeps them; a server takes at most eight. */
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

  /** What follows comes behind this seq of this stream. A stream that is known does not go back. */
  enter(stream: string, seq: number): void {
    if (stream !== this.#stream) this.#leaveFor(stream);
    this.#stream = stream;
    this.#seq = Math.max(this.#seq, seq);
  }

  /** Whether this is past what was had; if so, it is had now. */
  advance(seq: number): boolean {
    if (seq <= this.#seq) return false;
    this.#seq = seq;
    return true;
  }

  /** For a `hello`; nothing before the first welcome. */
  list(): readonly (readonly [stream: string, seq: number])[] {
    return this.#stream === undefined ? [] : [...this.#earlier, [this.#stream, this.#seq]];
  }

  #leaveFor(stream: string): void {
    if (this.#stream !== undefined) this.#earlier.set(this.#stream, this.#seq);
    this.#seq = this.#earlier.get(stream) ?? 0;
    this.#earlier.delete(stream);
    while (this.#earlier.size >= maxStreams) this.#earlier.delete(this.#earlier.keys().next().value!);
  }
}
