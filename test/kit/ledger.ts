import type { Receipt } from '@pinwheel/protocol';
import type { Sender } from '@pinwheel/sender';

/** A client as far as its messages go. */
export interface Recipient {
  readonly user: string;
  /** Payloads in the order in which they came. */
  readonly received: readonly string[];
  /** When each of them came, by `performance.now()`. */
  readonly receivedAt: readonly number[];
}

export interface Entry {
  readonly user: string;
  readonly text: string;
  /** By `performance.now()`. */
  readonly sentAt: number;
  readonly receipt: Receipt;
}

export interface Audit {
  readonly sent: number;
  readonly byStatus: Readonly<Record<string, number>>;
  /** Receipts that say `delivered` or `queued` for a message that did not come, or came too often. */
  readonly lost: readonly string[];
  readonly duplicated: readonly string[];
  /** Messages that came although the receipt says that they were not delivered. */
  readonly denied: readonly string[];
  /** Messages of other ledgers, and to whom they came. */
  readonly others: readonly string[];
  /** Users whose messages came in another order than they were sent; those whose fate the receipt leaves open aside. */
  readonly disordered: readonly string[];
}

/** Ledgers made so far: no two have a message in common. */
let ledgers = 0;

/** Sends numbered messages, keeps every receipt, and compares them with what the clients got. */
export class Ledger {
  readonly #name = `${++ledgers}m`;
  readonly #sender: Sender;
  readonly #clients: ReadonlyMap<string, Recipient>;
  /** Of messages that have their receipt, in the order in which those came. */
  readonly entries: Entry[] = [];
  #count = 0;
  #running: Promise<void> | undefined;
  #stop = false;

  constructor(sender: Sender, clients: ReadonlyMap<string, Recipient>) {
    this.#sender = sender;
    this.#clients = clients;
  }

  async send(user: string): Promise<Receipt> {
    const text = `${this.#name}${this.#count++}`;
    const sentAt = performance.now();
    const receipt = await this.#sender.send(user, text);
    this.entries.push({ user, text, sentAt, receipt });
    return receipt;
  }

  /** Sends to one user after another until {@link pause}, each some ms after the one before. */
  start(everyMs: number): void {
    this.#stop = false;
    this.#running = this.#run(everyMs);
  }

  /** Resolves when every message has its receipt. */
  async pause(): Promise<void> {
    this.#stop = true;
    await this.#running;
  }

  audit(): Audit {
    const byStatus: Record<string, number> = {};
    const lost: string[] = [];
    const duplicated: string[] = [];
    const denied: string[] = [];
    const arrivals = this.#arrivals();
    for (const { user, text, receipt } of this.entries) {
      byStatus[receipt.status] = (byStatus[receipt.status] ?? 0) + 1;
      const came = arrivals.get(text) ?? 0;
      const said =
        receipt.status === 'queued' ? 1 : receipt.status === 'delivered' ? (receipt.sessions ?? 0) : 0;
      const unknown = receipt.error?.code === 'unknown-outcome' || receipt.error?.code === 'deadline';
      const what = `${text} to ${user}: ${JSON.stringify(receipt)}, came ${came} times`;
      if (came < said) lost.push(what);
      if (said > 0 && came > said) duplicated.push(what);
      if (said === 0 && came > 0 && !unknown) denied.push(what);
    }
    const sent = this.entries.length;
    return {
      sent,
      byStatus,
      lost,
      duplicated,
      denied,
      others: this.#others(),
      disordered: this.#disordered(),
    };
  }

  /** How long the messages that came took to their clients, in ms. */
  journeys(): readonly { readonly user: string; readonly ms: number }[] {
    const sentAt = new Map(this.entries.map((entry) => [entry.text, entry.sentAt]));
    return [...this.#clients.values()].flatMap(({ user, received, receivedAt }) =>
      received.flatMap((text, i) => {
        const sent = sentAt.get(text);
        return sent === undefined ? [] : [{ user, ms: receivedAt[i]! - sent }];
      }),
    );
  }

  async #run(everyMs: number): Promise<void> {
    const users = [...this.#clients.keys()];
    const receipts: Promise<Receipt>[] = [];
    for (let i = 0; !this.#stop; i++) {
      receipts.push(this.send(users[i % users.length]!));
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
    await Promise.all(receipts);
  }

  #arrivals(): ReadonlyMap<string, number> {
    const arrivals = new Map<string, number>();
    for (const { received } of this.#clients.values()) {
      for (const text of received) arrivals.set(text, (arrivals.get(text) ?? 0) + 1);
    }
    return arrivals;
  }

  #others(): readonly string[] {
    return [...this.#clients.values()].flatMap(({ user, received }) =>
      received.filter((text) => !text.startsWith(this.#name)).map((text) => `${text} to ${user}`),
    );
  }

  #disordered(): readonly string[] {
    const certain = new Set(this.entries.filter(({ receipt }) => !receipt.error).map(({ text }) => text));
    const disordered: string[] = [];
    for (const { user, received } of this.#clients.values()) {
      const numbers = received
        .filter((text) => certain.has(text))
        .map((text) => Number(text.slice(this.#name.length)));
      const at = numbers.findIndex((number, i) => i > 0 && number < numbers[i - 1]!);
      if (at !== -1) disordered.push(`${user}, ${numbers[at]} behind ${numbers[at - 1]}`);
    }
    return disordered;
  }
}
