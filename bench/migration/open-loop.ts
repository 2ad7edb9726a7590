import { numberedMessage } from '@pinwheel/bench/load/message-number.js';
import { anyOf } from '@pinwheel/bench/load/users.js';
import type { Sender } from '@pinwheel/sender';
import { build, type Histogram } from 'hdr-histogram-js';
import { Ledger } from '../send/ledger.js';

/** A receipt that says that the user has no session; times in ms since the epoch. */
export interface SaidOffline {
  readonly user: string;
  readonly sentMs: number;
  readonly answeredMs: number;
}

export interface OpenLoopOptions {
  /** Whom the next message is for; default any of the users, each equally likely. */
  readonly nextUser?: () => string;
  /** Called before each message leaves. */
  readonly sending?: (number: number, user: string) => void;
}

/** Sends at a fixed rate, whatever the receipts do: nobody waits for a slow one before the next is sent. */
export class OpenLoop {
  readonly ledger = new Ledger();
  readonly saidOffline: SaidOffline[] = [];
  readonly #sender: Sender;
  readonly #nextUser: () => string;
  readonly #sending: (number: number, user: string) => void;
  readonly #perMs: number;
  readonly #startMs = performance.now();
  readonly #timer: NodeJS.Timeout;
  #sent = 0;
  #times = newTimes();

  constructor(sender: Sender, users: readonly string[], perSecond: number, options: OpenLoopOptions = {}) {
    this.#sender = sender;
    this.#nextUser = options.nextUser ?? anyOf(users);
    this.#sending = options.sending ?? (() => {});
    this.#perMs = perSecond / 1000;
    this.#timer = setInterval(() => this.#sendWhatIsDue(), 1);
  }

  /** The times since the last call, from when a message was due to its receipt, in µs. */
  takeTimes(): Histogram {
    const taken = this.#times;
    this.#times = newTimes();
    return taken;
  }

  /** Sends no more; resolves when every message has its receipt. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#sender.close();
  }

  #sendWhatIsDue(): void {
    const due = (performance.now() - this.#startMs) * this.#perMs;
    while (this.#sent < due) this.#send();
  }

  #send(): void {
    const number = this.#sent++;
    const dueMs = this.#startMs + number / this.#perMs;
    const user = this.#nextUser();
    this.#sending(number, user);
    void this.#sender.send(user, numberedMessage(number)).then((receipt) => {
      const now = performance.now();
      this.ledger.enter(number, receipt);
      this.#times.recordValue(Math.max(1, Math.round((now - dueMs) * 1000)));
      if (receipt.status !== 'offline') return;
      const { timeOrigin } = performance;
      this.saidOffline.push({ user, sentMs: timeOrigin + dueMs, answeredMs: timeOrigin + now });
    });
  }
}

function newTimes(): Histogram {
  return build({ lowestDiscernibleValue: 1, highestTrackableValue: 60_000_000 });
}
