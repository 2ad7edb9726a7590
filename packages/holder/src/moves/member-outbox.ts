export interface MemberOutboxesOptions<Item> {
  /** Most items of one call, and bytes. */
  readonly most: number;
  readonly maxBytes?: number;
  readonly bytesOf?: (item: Item) => number;
  /** Calls to one member at a time; default 1. */
  readonly calls?: number;
  /** Deals with its own failures: it never rejects. */
  readonly call: (member: string, items: readonly Item[]) => Promise<void>;
}

/**
 * Items for one member each, in batches by what is already waiting: the first leaves at once, the next ones fill a batch
 * while it is under way.
 */
export class MemberOutboxes<Item> {
  readonly #options: MemberOutboxesOptions<Item>;
  readonly #waiting = new Map<string, Item[]>();
  readonly #calls = new Map<string, number>();

  constructor(options: MemberOutboxesOptions<Item>) {
    this.#options = options;
  }

  push(member: string, item: Item): void {
    const items = this.#waiting.get(member);
    if (items === undefined) this.#waiting.set(member, [item]);
    else items.push(item);
    // who pushed before has begun a call, or every call is under way
    if ((items?.length ?? 0) <= 1) this.#begin(member);
  }

  #begin(member: string): void {
    const calls = this.#calls.get(member) ?? 0;
    if (calls >= (this.#options.calls ?? 1)) return;
    this.#calls.set(member, calls + 1);
    // what the same run of code brings forth leaves together
    queueMicrotask(() => void this.#run(member));
  }

  async #run(member: string): Promise<void> {
    for (let items = this.#next(member); items.length > 0; items = this.#next(member)) {
      if (this.#waiting.has(member)) this.#begin(member);
      await this.#options.call(member, items);
    }
    const calls = this.#calls.get(member)! - 1;
    if (calls > 0) this.#calls.set(member, calls);
    else this.#calls.delete(member);
  }

  #next(member: string): readonly Item[] {
    const waiting = this.#waiting.get(member) ?? [];
    const { most, maxBytes = Number.POSITIVE_INFINITY, bytesOf = () => 0 } = this.#options;
    let bytes = 0;
    let count = 0;
    while (count < Math.min(waiting.length, most)) {
      bytes += bytesOf(waiting[count]!);
      if (bytes > maxBytes && count > 0) break;
      count++;
    }
    const items = waiting.splice(0, count);
    if (waiting.length === 0) this.#waiting.delete(member);
    return items;
  }
}
