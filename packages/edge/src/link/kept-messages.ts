/** A session has at most so many messages of its client that no node has processed. */
export const maxKeptMessages = 256;
export const maxKeptBytes = 262_144;

interface Kept {
  readonly number: number;
  readonly frame: Uint8Array;
}

/** What a client has sent and no node has processed yet, in order: sent again to the node that the session comes to. */
export class KeptMessages {
  readonly #kept: Kept[] = [];
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#kept.length === 0;
  }

  /**
   * @param frame a MESSAGE or SEND, in bytes of its own.
   * @returns false when there is no room. A message that is larger than the bound has room when it is the only one.
   */
  add(number: number, frame: Uint8Array): boolean {
    const bytes = this.#bytes + frame.length;
    if (this.#kept.length > 0 && (this.#kept.length >= maxKeptMessages || bytes > maxKeptBytes)) return false;
    this.#kept.push({ number, frame });
    this.#bytes = bytes;
    return true;
  }

  /** Everything up to that number has been processed. */
  taken(number: number): void {
    const kept = this.#kept;
    let count = 0;
    while (count < kept.length && kept[count]!.number <= number) this.#bytes -= kept[count++]!.frame.length;
    kept.splice(0, count);
  }

  [Symbol.iterator](): Iterator<Kept> {
    return this.#kept.values();
  }
}
