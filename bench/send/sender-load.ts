import { numberedMessage } from '@pinwheel/bench/load/message-number.js';
import { MessageNumbers } from '@pinwheel/bench/load/message-numbers.js';
import { anyOf } from '@pinwheel/bench/load/users.js';
import { createSender, type Sender, type SenderOptions } from '@pinwheel/sender';
import { Ledger } from './ledger.js';
import type { Load } from './load.js';

/** Pinwheel's sender, with so many messages without a receipt at any time. */
export class SenderLoad implements Load {
  readonly ledger = new Ledger();
  readonly #sender: Sender;
  readonly #nextUser: () => string;
  readonly #numbers: MessageNumbers;
  /** Rejected when it cannot go on. Nobody handles that before `stop`, so it ends the process: no silence is measured. */
  readonly #ended: Promise<void>;
  #end!: () => void;
  #fail!: (error: unknown) => void;
  #sent = 0;
  #stopped = false;

  private constructor(sender: Sender, users: readonly string[], numbers: MessageNumbers) {
    this.#sender = sender;
    this.#nextUser = anyOf(users);
    this.#numbers = numbers;
    this.#ended = new Promise((resolve, reject) => {
      this.#end = resolve;
      this.#fail = reject;
    });
  }

  static async start(
    source: Pick<SenderOptions, 'membership' | 'keys'>,
    users: readonly string[],
    outstanding: number,
    numbers = new MessageNumbers(),
  ): Promise<SenderLoad> {
    const sender = createSender(source);
    await sender.ready();
    const load = new SenderLoad(sender, users, numbers);
    while (load.#sent < outstanding) load.#send();
    return load;
  }

  get messagesPerRequest(): number {
    const { batchedMessages, batches } = this.#sender.counters().dispatch;
    return batchedMessages / batches;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    try {
      await this.#ended;
    } finally {
      await this.#sender.close();
    }
  }

  #send(): void {
    const number = this.#numbers.take();
    this.#sent++;
    this.#sender
      .send(this.#nextUser(), numberedMessage(number))
      .then((receipt) => {
        this.ledger.enter(number, receipt);
        if (!this.#stopped) this.#send();
        else if (this.ledger.receipts === this.#sent) this.#end();
      })
      .catch(this.#fail);
  }
}
