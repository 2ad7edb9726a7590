/** Reads the frames that a server sends, unmasked and whole, wherever the chunks are cut. */
export class FrameReader {
  readonly #frame: (opcode: number, bytes: Buffer, from: number, to: number) => void;
  #rest: Buffer | undefined;

  /** @param frame is given a frame's payload as a range of bytes that are gone when it returns. */
  constructor(frame: (opcode: number, bytes: Buffer, from: number, to: number) => void) {
    this.#frame = frame;
  }

  read(chunk: Buffer): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    const size = bytes.length;
    let at = 0;
    while (size - at >= 2) {
      const short = bytes[at + 1]!;
      if (short > 126) throw new RangeError(`a frame of ${short === 127 ? 'over 65,535 bytes' : 'a client'}`);
      const from = short === 126 ? at + 4 : at + 2;
      if (from > size) break;
      const to = from + (short === 126 ? (bytes[at + 2]! << 8) | bytes[at + 3]! : short);
      if (to > size) break;
      this.#frame(bytes[at]! & 0x0f, bytes, from, to);
      at = to;
    }
    this.#rest = at === size ? undefined : Buffer.from(bytes.subarray(at));
  }
}
