import { maxBatchBytes, maxBatchMessages, type OutgoingMessage } from '@pinwheel/protocol';

export interface OutboxLimits {
  /** Most messages of one batch. More make fewer requests and a longer turn of the node's event loop. */
  readonly maxBatchMessages: number;
  /** Most bytes of one batch, a string counted at three a unit; a single larger message travels alone. */
  readonly maxBatchBytes: number;
  /**
   * Messages of one user that stand together share their batch, so that they share their fate, even if it becomes as
   * large as a request may be.
   */
  readonly keepsUsersTogether?: boolean;
  /** Batches in flight: more than one only while all of them are small. Default 1. */
  readonly maxFlights?: number;
}

export const defaultOutboxLimits: OutboxLimits = { maxBatchMessages: 2048, maxBatchBytes: 1_048_576 };

/** Takes items that are not in flight any more, and then makes the call that deals with what became of them. */
export type Landed<Item> = (items: readonly Item[], deal: () => void) => void;

/** Messages in flight in all where there is more than one batch. */
const mostBeside = 64;

/**
 * Adaptive batching towards one node: a batch leaves at once when none is in flight, else the next one fills. So a lone
 * message waits for nobody, and batches grow by themselves under load. Where a batch may take long because one of its
 * messages has another node to go to, small ones may be in flight beside it.
 *
 * A user's messages are in one batch at a time, which is also what keeps them in order.
 */
export class Outbox<Item extends OutgoingMessage & { readonly bytes: number }> {
  readonly #leaves: (item: Item) => boolean;
  readonly #post: (batch: readonly Item[], landed: Landed<Item>) => void;
  readonly #limits: OutboxLimits;
  #open: Item[] = [];
  readonly #flights = new Set<readonly Item[]>();
  #willLeave = false;

  /**
   * @param leaves asked for each item as its batch departs; `false` drops the item from the outbox.
   * @param post sends a batch and says what has landed of it, in one part or in several. It never fails.
   */
  constructor(
    leaves: (item: Item) => boolean,
    post: (batch: readonly Item[], landed: Landed<Item>) => void,
    limits: OutboxLimits = defaultOutboxLimits,
  ) {
    this.#leaves = leaves;
    this.#post = post;
    this.#limits = limits;
  }

  get inFlight(): readonly Item[] {
    return [...this.#flights].flat();
  }

  /** Items of the batch that fills, in order. */
  get open(): readonly Item[] {
    return this.#open;
  }

  push(item: Item): void {
    this.#open.push(item);
    this.#leaveSoon();
  }

  /** Takes items out of the batch that fills, in order. */
  withdraw(which: (item: Item) => boolean): readonly Item[] {
    const taken: Item[] = [];
    this.#open = this.#open.filter((item) => {
      if (!which(item)) return true;
      taken.push(item);
      return false;
    });
    return taken;
  }

  /** What the caller sends in the same run of its code leaves in the same batch. */
  #leaveSoon(): void {
    if (this.#willLeave || this.#room() < this.#open.length) return;
    this.#willLeave = true;
    queueMicrotask(() => {
      this.#willLeave = false;
      this.#leave();
    });
  }

  #leave(): void {
    while (this.#open.length > 0) {
      const next = this.#flights.size === 0 ? this.#open.splice(0, this.#batchLength()) : this.#takeBeside();
      if (next.length === 0) return;
      const batch = next.filter(this.#leaves);
      if (batch.length > 0) this.#fly(batch);
    }
  }

  #fly(batch: readonly Item[]): void {
    let flying = batch;
    this.#flights.add(flying);
    this.#post(batch, (items, deal) => {
      this.#flights.delete(flying);
      if (items.length < flying.length) {
        const landed = new Set(items);
        flying = flying.filter((item) => !landed.has(item));
        this.#flights.add(flying);
      }
      deal();
      // what callers send as they get their receipts leaves with the next batch, not with the one after it
      queueMicrotask(() => this.#leave());
    });
  }

  /** How many may leave beside those in flight. */
  #room(): number {
    if (this.#flights.size >= (this.#limits.maxFlights ?? 1)) return 0;
    let room = Math.min(mostBeside, this.#limits.maxBatchMessages);
    for (const { length } of this.#flights) room -= length;
    return room;
  }

  /** What waits for nobody of its user, if everything that waits is little: else a full batch leaves later. */
  #takeBeside(): readonly Item[] {
    if (this.#open.length > this.#room()) return [];
    const held = new Set(this.inFlight.map(({ user }) => user));
    const batch = this.#open.filter(({ user }) => !held.has(user));
    const bytes = batch.reduce((sum, item) => sum + item.bytes, 0);
    if (bytes > this.#limits.maxBatchBytes) return [];
    this.#open = this.#open.filter(({ user }) => held.has(user));
    return batch;
  }

  #batchLength(): number {
    const most = Math.min(this.#open.length, this.#limits.maxBatchMessages);
    let bytes = 0;
    for (let i = 0; i < most; i++) {
      bytes += this.#open[i]!.bytes;
      if (bytes > this.#limits.maxBatchBytes) return this.#cutAt(Math.max(1, i));
    }
    return this.#cutAt(most);
  }

  /** Before the messages that stand together or, when the batch begins with them, behind as many as fit a request. */
  #cutAt(length: number): number {
    const open = this.#open;
    if (this.#limits.keepsUsersTogether !== true || open[length - 1]?.user !== open[length]?.user)
      return length;
    let start = length;
    while (start > 0 && open[start - 1]!.user === open[length]!.user) start--;
    if (start > 0) return start;
    let bytes = 0;
    let end = 0;
    while (end < Math.min(open.length, maxBatchMessages) && open[end]!.user === open[0]!.user) {
      bytes += open[end]!.bytes;
      if (end >= length && bytes > maxBatchBytes) break;
      end++;
    }
    return end;
  }
}
