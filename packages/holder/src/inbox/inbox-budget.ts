const firstBytes = 1024;
/** The part of its memory that an inbox may fill after it was moved to the front: less room is moved for less often. */
export const mostUsed = 0.5;
/** An inbox that would do with a fourth of its memory gives the rest back; with more of it, it would soon need it again. */
export const shrinksFrom = 4;

/** What an inbox takes of the budget that has records of so many bytes. */
export function memoryFor(recordBytes: number, least = 0): number {
  let size = Math.max(firstBytes, least);
  while (size * mostUsed < recordBytes) size *= 2;
  return size;
}

/** The memory that all inboxes of a node share. */
export class InboxBudget {
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether there was room. */
  take(bytes: number): boolean {
    if (this.#bytes + bytes > this.#maxBytes) return false;
    this.#bytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#bytes -= bytes;
  }
}
