/**
 * Follows the frame headers (RFC 6455, section 5.2) of one direction of a WebSocket, so that somebody who
 * passes the bytes on knows where a frame of his own may go in between. Reads headers only: payloads are
 * skipped, nothing is checked, nothing is allocated.
 */
export class FrameFollower {
  /** Bytes of the current frame still to come after its header. */
  #left = 0;
  /** Bytes of the current frame's header that were seen, while it is incomplete. */
  #headerSeen = 0;
  #headerSize = 0;
  #length = 0;
  #masked = false;
  #closeSeen = false;
  #frames = 0;

  /** Whether everything followed so far is whole frames. */
  get atBoundary(): boolean {
    return this.#left === 0 && this.#headerSeen === 0;
  }

  /** How many frames have begun. */
  get frames(): number {
    return this.#frames;
  }

  /** Whether a close frame has begun; nothing of use comes after it. */
  get closeSeen(): boolean {
    return this.#closeSeen;
  }

  /** Takes the next bytes of the stream, cut anywhere. */
  follow(chunk: Uint8Array): void {
    const end = chunk.length;
    let at = 0;
    while (at < end) at = this.#step(chunk, at);
  }

  /**
   * Takes the next bytes up to the end of the current frame.
   *
   * @returns how many bytes belong to it, after which the follower is at a boundary and the rest of the chunk
   *   was not looked at; or -1 when the frame goes on past the chunk.
   */
  followToBoundary(chunk: Uint8Array): number {
    if (this.atBoundary) return 0;
    const end = chunk.length;
    let at = 0;
    while (at < end) {
      at = this.#step(chunk, at);
      if (this.atBoundary) return at;
    }
    return -1;
  }

  /**
   * Takes the next bytes.
   *
   * @returns where in the chunk a close frame begins, or -1 when none does. What comes after that place is nobody's.
   */
  followToClose(chunk: Uint8Array): number {
    const end = chunk.length;
    let at = 0;
    while (at < end) {
      const start = at;
      at = this.#step(chunk, at);
      if (this.#closeSeen) return start;
    }
    return -1;
  }

  /** From `at` to the end of the current frame or of the chunk, whichever comes first. */
  #step(chunk: Uint8Array, at: number): number {
    if (this.#left !== 0) return this.#skip(chunk.length, at);
    if (this.#headerSeen === 0 && at + 1 < chunk.length) {
      const second = chunk[at + 1]!;
      // the common case, a short unmasked frame: its header is two bytes and both are here
      if (second < 126) {
        this.#frames++;
        if ((chunk[at]! & 0x0f) === 8) this.#closeSeen = true;
        this.#left = second;
        return second === 0 ? at + 2 : this.#skip(chunk.length, at + 2);
      }
    }
    return this.#header(chunk, at);
  }

  #skip(end: number, at: number): number {
    const rest = end - at;
    if (this.#left > rest) {
      this.#left -= rest;
      return end;
    }
    const next = at + this.#left;
    this.#left = 0;
    return next;
  }

  #header(chunk: Uint8Array, start: number): number {
    let at = start;
    while (at < chunk.length) {
      const byte = chunk[at++]!;
      this.#headerSeen++;
      if (this.#headerSeen === 1) {
        this.#frames++;
        if ((byte & 0x0f) === 8) this.#closeSeen = true;
        continue;
      }
      if (this.#headerSeen === 2) this.#startLength(byte);
      else this.#length = this.#length * 256 + byte;
      if (this.#headerSeen < this.#headerSize) continue;
      this.#headerSeen = 0;
      // the masking key is skipped with the payload
      this.#left = this.#length + (this.#masked ? 4 : 0);
      return this.#left === 0 ? at : this.#skip(chunk.length, at);
    }
    return at;
  }

  #startLength(byte: number): void {
    const short = byte & 0x7f;
    this.#masked = byte >= 0x80;
    this.#headerSize = short === 127 ? 10 : short === 126 ? 4 : 2;
    this.#length = short < 126 ? short : 0;
  }
}
