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
  /** Batches in flight. Default 1; there is one that is large and of which nothing has landed at most. */
  readonly maxFlights?: number;
}

export const defaultOutboxLimits: OutboxLimits = { maxBatchMessages: 2048, maxBatchBytes: 1_048_576 };

/** Takes items that are not in flight any more, and then makes the call that deals with what became of them. */
export type Landed<Item> = (items: readonly Item[], deal: () => void) => void;

/** Messages in flight in all where there is more than one batch. */
const mostBeside = 64;

interface Flight<Item> {
  readonly items: readonly Item[];
  /** Others of the batch have landed: these have to wait for something, or have another node to go to. */
  readonly isRest: boolean;
}

/**
 * Adaptive batching towards one node: a batch leaves at once when none is in flight but what is left of others, else the
 * next one fills. So a lone message waits for nobody, and batches grow by themselves under load. Where a batch may take
 * long because one of its messages has another node to go to, small ones may be in flight beside it.
 *
 * A user's messages are in one batch at a time, which is also what keeps them in order.
 */
export class Outbox<Item extends OutgoingMessage & { readonly bytes: number }> {
  readonly #leaves: (item: Item) => boolean;
  readonly #post: (batch: readonly Item[], landed: Landed<Item>) => void;
  readonly #limits: OutboxLimits;
  #open: Item[] = [];
  readonly #flights = new Set<Flight<Item>>();
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
    return [...this.#flights].flatMap(({ items }) => items);
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
    if (this.#willLeave || (!this.#isFree && this.#room() < this.#open.length)) return;
    this.#willLeave = true;
    queueMicrotask(() => {
      this.#willLeave = false;
      this.#leave();
    });
  }

  #leave(): void {
    while (this.#open.length > 0) {
      const next = this.#isFree ? this.#takeBatch() : this.#takeBeside();
      if (next.length === 0) return;
      const batch = next.filter(this.#leaves);
      if (batch.length > 0) this.#fly(batch);
    }
  }

  #fly(batch: readonly Item[]): void {
    let flight: Flight<Item> = { items: batch, isRest: false };
    this.#flights.add(flight);
    this.#post(batch, (items, deal) => {
      this.#flights.delete(flight);
      flight = { items: without(flight.items, items), isRest: true };
      if (flight.items.length > 0) this.#flights.add(flight);
      deal();
      // what callers send as they get their receipts leaves with the next batch, not with the one after it
      queueMicrotask(() => this.#leave());
    });
  }

  get #hasFlightLeft(): boolean {
    return this.#flights.size < (this.#limits.maxFlights ?? 1);
  }

  /** Whether a batch may leave, however large: in flight is only what the node knows to take its time. */
  get #isFree(): boolean {
    if (!this.#hasFlightLeft) return false;
    for (const { isRest } of this.#flights) if (!isRest) return false;
    return true;
  }

  /** How many may leave beside those in flight. */
  #room(): number {
    if (!this.#hasFlightLeft) return 0;
    let room = Math.min(mostBeside, this.#limits.maxBatchMessages);
    for (const { items, isRest } of this.#flights) if (!isRest) room -= items.length;
    return room;
  }

  /** The next batch, of what waits for nobody of its user. */
  #takeBatch(): readonly Item[] {
    if (this.#flights.size === 0) return this.#open.splice(0, this.#batchLength(this.#open));
    const ready = this.#ready();
    const batch = ready.slice(0, this.#batchLength(ready));
    this.#open = without(this.#open, batch);
    return batch;
  }

  /** What waits for nobody of its user, if everything that waits is little: else a full batch leaves later. */
  #takeBeside(): readonly Item[] {
    if (this.#open.length > this.#room()) return [];
    const batch = this.#ready();
    const bytes = batch.reduce((sum, item) => sum + item.bytes, 0);
    if (bytes > this.#limits.maxBatchBytes) return [];
    this.#open = without(this.#open, batch);
    return batch;
  }

  /** Items of users of whom none is in flight. */
  #ready(): readonly Item[] {
    const held = new Set<string>();
    for (const { items } of this.#flights) for (const { user } of items) held.add(user);
    return this.#open.filter(({ user }) => !held.has(user));
  }

  #batchLength(open: readonly Item[]): number {
    const most = Math.min(open.length, this.#limits.maxBatchMessages);
    const mostBytes = this.#limits.maxBatchBytes;
    let bytes = 0;
    for (let i = 0; i < most; i++) {
      bytes += open[i]!.bytes;
      if (bytes > mostBytes) return this.#cutAt(open, Math.max(1, i));
    }
    return this.#cutAt(open, most);
  }

  /** Before the messages that stand together or, when the batch begins with them, behind as many as fit a request. */
  #cutAt(open: readonly Item[], length: number): number {
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

/** What is left of some items without others, which are all among them. */
function without<Item>(items: readonly Item[], others: readonly Item[]): Item[] {
  if (others.length === items.length) return [];
  const left = new Set(others);
  return items.filter((item) => !left.has(item));
}
