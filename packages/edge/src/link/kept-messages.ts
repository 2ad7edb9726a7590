import { markRepeated } from '@pinwheel/protocol';

/** A session has at most so many messages of its client that no node has processed. */
export const maxKeptMessages = 256;
export const maxKeptBytes = 262_144;

/** So many that were processed and whose receipts have not come; of more the oldest are let go of. */
export const maxUnanswered = 64;
const maxUnansweredBytes = 65_536;

interface Kept {
  readonly number: number;
  readonly frame: Uint8Array;
  /** Its receipt comes by itself: with the word that it was processed, or later when that waits for another client. */
  awaitsReceipt: boolean;
}

/**
 * What a client has sent and no node has processed, or answered, yet, in order: sent again to the node that the session
 * comes to.
 */
export class KeptMessages {
  readonly #kept: Kept[] = [];
  #bytes = 0;
  /** Processed: another node gives the receipt when it is sent there again, with the same number. */
  readonly #unanswered = new Map<number, Uint8Array>();
  #unansweredBytes = 0;

  get isEmpty(): boolean {
    return this.#kept.length === 0 && this.#unanswered.size === 0;
  }

  /** Whether all have been processed. */
  get isTaken(): boolean {
    return this.#kept.length === 0;
  }

  get bytes(): number {
    return this.#bytes + this.#unansweredBytes;
  }

  /**
   * @param frame a MESSAGE or SEND, in bytes of its own.
   * @returns false when there is no room. A message that is larger than the bound has room when it is the only one.
   */
  add(number: number, frame: Uint8Array, awaitsReceipt: boolean): boolean {
    const bytes = this.#bytes + frame.length;
    if (this.#kept.length > 0 && (this.#kept.length >= maxKeptMessages || bytes > maxKeptBytes)) return false;
    this.#kept.push({ number, frame, awaitsReceipt });
    this.#bytes = bytes;
    this.#letGo();
    return true;
  }

  /** Everything up to that number has been processed. */
  taken(number: number): void {
    const kept = this.#kept;
    let count = 0;
    while (count < kept.length && kept[count]!.number <= number) this.#bytes -= kept[count++]!.frame.length;
    for (const one of kept.splice(0, count)) if (one.awaitsReceipt) this.awaitReceipt(one.number, one.frame);
  }

  /** That one was processed, and its receipt is still to come. */
  awaitReceipt(number: number, frame: Uint8Array): void {
    // a large one would have no room, and take that of all the others
    if (frame.length > maxUnansweredBytes) return;
    this.#unansweredBytes += frame.length - (this.#unanswered.get(number)?.length ?? 0);
    markRepeated(frame);
    this.#unanswered.set(number, frame);
    this.#letGo();
  }

  /** The receipt of that one has come. */
  answered(number: number): void {
    const frame = this.#unanswered.get(number);
    if (frame !== undefined) {
      this.#unanswered.delete(number);
      this.#unansweredBytes -= frame.length;
    }
    for (const one of this.#kept) if (one.number === number) one.awaitsReceipt = false;
  }

  /** Whoever had them may have processed them, and can say so no more. */
  mayBeProcessed(): void {
    for (const { frame, awaitsReceipt } of this.#kept) if (awaitsReceipt) markRepeated(frame);
  }

  *frames(): Iterable<Uint8Array> {
    yield* this.#unanswered.values();
    for (const { frame } of this.#kept) yield frame;
  }

  /** All together a node has room for what may be kept, and for no more. */
  #letGo(): void {
    const most = Math.min(maxUnanswered, Math.max(0, maxKeptMessages - this.#kept.length));
    const mostBytes = Math.min(maxUnansweredBytes, Math.max(0, maxKeptBytes - this.#bytes));
    for (const [oldest, { length }] of this.#unanswered) {
      if (this.#unanswered.size <= most && this.#unansweredBytes <= mostBytes) return;
      this.#unanswered.delete(oldest);
      this.#unansweredBytes -= length;
    }
  }
}
