import type { ReceiptStatus } from '@pinwheel/protocol';
import type { Sender } from '@pinwheel/sender';
import type { Teardown } from './nodes.js';

export interface Sent {
  /** The user, a space and the number of the round: no two are the same. */
  readonly text: string;
  readonly user: string;
  readonly status: ReceiptStatus;
  readonly code: string | undefined;
}

/** Sends a message to each of these users, round after round, and keeps every receipt. */
export class Flow {
  readonly receipts: Sent[] = [];
  readonly #run: Promise<void>;
  #sending = true;

  constructor(t: Teardown, sender: Sender, users: readonly string[]) {
    t.teardown(() => this.stop());
    this.#run = this.#send(sender, users);
  }

  /** Resolves when every receipt is there. */
  stop(): Promise<void> {
    this.#sending = false;
    return this.#run;
  }

  get delivered(): readonly Sent[] {
    return this.receipts.filter(({ status }) => status === 'delivered');
  }

  async #send(sender: Sender, users: readonly string[]): Promise<void> {
    for (let round = 0; this.#sending; round++) {
      const sends = users.map(async (user) => {
        const text = `${user} ${round}`;
        const { status, error } = await sender.send(user, text);
        this.receipts.push({ text, user, status, code: error?.code });
      });
      await Promise.all(sends);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}
