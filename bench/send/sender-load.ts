import { maxMessages, numberedMessage } from '@pinwheel/bench/load/message-number.js';
import { anyOf } from '@pinwheel/bench/load/users.js';
import { createSender, type Sender, type SenderOptions } from '@pinwheel/sender';
import { Ledger } from './ledger.js';
import type { Load } from './load.js';

/** Pinwheel's sender, with so many messages without a receipt at any time. */
export class SenderLoad implements Load {
  readonly ledger = new Ledger();
  readonly #sender: Sender;
  readonly #nextUser: () => string;
  #sent = 0;
  #ended: (() => void) | undefined;

  private constructor(sender: Sender, users: readonly string[]) {
    this.#sender = sender;
    this.#nextUser = anyOf(users);
  }

  static async start(
    source: Pick<SenderOptions, 'membership' | 'keys'>,
    users: readonly string[],
    outstanding: number,
  ): Promise<SenderLoad> {
    const sender = createSender(source);
    await sender.ready();
    const load = new SenderLoad(sender, users);
    while (load.#sent < outstanding) load.#send();
    return load;
  }

  get messagesPerRequest(): number {
    const { batchedMessages, batches } = this.#sender.counters().dispatch;
    return batchedMessages / batches;
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#ended = resolve;
    });
    await this.#sender.close();
  }

  #send(): void {
    const number = this.#sent++;
    void this.#sender.send(this.#nextUser(), numberedMessage(number)).then((receipt) => {
      this.ledger.enter(number, receipt);
      if (this.#ended === undefined && this.#sent < maxMessages) this.#send();
      else if (this.ledger.receipts === this.#sent) this.#ended?.();
    });
  }
}
