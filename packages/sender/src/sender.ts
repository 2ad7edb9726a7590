import { systemClock } from '@pinwheel/membership';
import { checkWhole, maxDeadlineMs, PinwheelError, parseUserId, type Receipt } from '@pinwheel/protocol';
import type { BroadcastReceipt } from './broadcast.js';
import { checkData, checkId, checkWait } from './check-message.js';
import { Dispatch } from './dispatch.js';
import type { DispatchCounters } from './dispatch-counters.js';
import { numberedIds } from './message-ids.js';
import { Pending } from './pending.js';
import { type CheckedSenderOptions, checkSenderOptions, type SenderOptions } from './sender-options.js';
import type { Traffic } from './traffic.js';
import type { Transport } from './transport.js';
import { transportOf } from './transport-of.js';

export interface SendOptions {
  /** 1–64 printable ASCII characters; made when missing. A message that is sent again should keep its id. */
  readonly id?: string;
  /** Whether clients get a binary frame; default: a string is text and bytes are binary. */
  readonly binary?: boolean;
  /** Overrides the sender's, in ms; 1–60,000. */
  readonly deadlineMs?: number;
  /**
   * `client`: the receipt waits until the user's attached sessions have acknowledged the message, at most until the
   * deadline. `delivered` then counts those that have. `queued`: nobody has, and it is kept. `overloaded` with
   * `deadline`: nobody has, and it is not; with `unknown-outcome`: nobody is there who could, as clients without the
   * subprotocol pinwheel.v1 cannot. It holds up no other message. Only with the strategy ring: a queue answers nothing.
   */
  readonly wait?: 'client';
}

export interface SenderCounters {
  /** Receipts given, by status; batches and messages in them; messages tried again; refused at the queue's bound. */
  readonly dispatch: Readonly<DispatchCounters>;
  readonly queuedMessages: number;
  readonly queuedBytes: number;
  /** Users whose messages wait for an earlier one. */
  readonly waitingUsers: number;
  /** Messages that were taken and wait for their clients. */
  readonly waitingForClients: number;
  /** Payload copies handed to nodes or to a queue. */
  readonly traffic: Readonly<Traffic>;
}

/** Reaches users from any process. One per process is enough. */
export interface Sender {
  /**
   * Resolves when the first ring is there.
   *
   * @param deadlineMs how long it waits for that, in ms, `Infinity` as long as it takes. Default 15,000. The sender itself never
   * gives up.
   * @throws PinwheelError (rejects) when there will be none, such as `settings-mismatch`; after that time why there is none yet:
   * `membership` when the source of members cannot be read, else `unavailable`.
   */
  ready(deadlineMs?: number): Promise<void>;
  /**
   * Sends one message; resolves with its receipt, by the deadline. A user's messages arrive in the order of the
   * calls. Bytes must not be changed before the receipt. May be called before `ready`.
   *
   * @throws PinwheelError (rejects) for a bad user or id, data over 1,048,576 bytes, a `wait` that the strategy cannot keep,
   * and after `close`.
   */
  send(user: string, data: string | Uint8Array, options?: SendOptions): Promise<Receipt>;
  /** The same message to many users, one request per owner; receipts in the order of the users. */
  sendMany(
    users: readonly string[],
    data: string | Uint8Array,
    options?: Omit<SendOptions, 'id'>,
  ): Promise<readonly Receipt[]>;
  /** To every connected user through every node: by the queue, if the strategy has one, else by calls. */
  broadcast(data: string | Uint8Array, options?: Omit<SendOptions, 'id' | 'wait'>): Promise<BroadcastReceipt>;
  counters(): SenderCounters;
  /** Has every request's time from now on, in seconds; the last observer counts. */
  observeBatches(observe: (seconds: number) => void): void;
  /**
   * Takes no more messages, waits for the receipts of those taken, at most their deadline, and closes the
   * connections. May be called twice.
   */
  close(): Promise<void>;
}

/** @throws PinwheelError `bad-option`. */
export function createSender(options: SenderOptions): Sender {
  const checked = checkSenderOptions(options);
  return new DispatchingSender(checked, (observe) => transportOf(checked.strategy, options, observe));
}

type Id = ConstructorParameters<typeof Pending>[3];

const drainPollMs = 10;
/** A timer of Node.js that is to run longer ends at once. */
const longestTimerMs = 2_147_483_647;
const noOptions: SendOptions = {};

let keptSettle: (receipt: Receipt) => void;

/** One executor for every promise: a closure for each message is a tenth of the memory that a message takes. */
function keepSettle(settle: (receipt: Receipt) => void): void {
  keptSettle = settle;
}

class DispatchingSender implements Sender {
  readonly #options: CheckedSenderOptions;
  readonly #transport: Transport;
  readonly #dispatch: Dispatch;
  readonly #idOf = numberedIds();
  readonly #ready: Promise<void>;
  #order = 0;
  #observeBatch: (seconds: number) => void = () => {};
  /** Without a receipt. */
  #broadcasts = 0;
  #closing: Promise<void> | undefined;

  constructor(
    options: CheckedSenderOptions,
    openTransport: (observe: (seconds: number) => void) => Transport,
  ) {
    this.#options = options;
    const transport = openTransport((seconds) => this.#observeBatch(seconds));
    this.#transport = transport;
    this.#dispatch = new Dispatch(
      {
        clock: systemClock,
        random: Math.random,
        ownerOf: (user) => transport.placeOf(user),
        whyNobody: () => transport.whyNowhere(),
        post: (place, batch, deadlineMs, ended) => transport.post(place, batch, deadlineMs, ended),
        ask: (place, question, waitMs, deadlineMs) => transport.ask(place, question, { waitMs, deadlineMs }),
        refreshRing: () => transport.refresh(),
      },
      {
        ...options,
        // a queue says what it takes when it is connected to
        get maxBatchBytes() {
          return Math.min(options.maxBatchBytes, transport.maxBatchBytes);
        },
        maxFlights: transport.maxFlights,
      },
    );
    this.#ready = transport.start((moved) => {
      if (moved === undefined) this.#dispatch.ringChanged();
      else this.#dispatch.usersMoved(moved);
    });
    // whoever does not ask for `ready` learns it from the receipts
    this.#ready.catch(() => {});
  }

  ready(deadlineMs = 15_000): Promise<void> {
    return this.#readyBy(systemClock.now() + deadlineMs);
  }

  /** Not `async`, which would make a second promise of every message and three more turns until its receipt. */
  send(user: string, data: string | Uint8Array, options: SendOptions = noOptions): Promise<Receipt> {
    try {
      return this.#enqueue(user, data, options.id === undefined ? this.#idOf : checkId(options.id), options);
    } catch (thrown) {
      return Promise.reject(thrown);
    }
  }

  async sendMany(
    users: readonly string[],
    data: string | Uint8Array,
    options: Omit<SendOptions, 'id'> = {},
  ): Promise<readonly Receipt[]> {
    for (const user of users) parseUserId(user);
    return Promise.all(users.map((user) => this.#enqueue(user, data, this.#idOf, options)));
  }

  async broadcast(
    data: string | Uint8Array,
    options: Omit<SendOptions, 'id' | 'wait'> = {},
  ): Promise<BroadcastReceipt> {
    this.#refuseWhenClosed();
    const binary = checkData(data, options.binary);
    const deadline = systemClock.now() + this.#deadlineMs(options);
    this.#broadcasts++;
    try {
      await this.#readyBy(deadline);
      return await this.#transport.broadcast(data, binary, Math.max(1, deadline - systemClock.now()));
    } finally {
      this.#broadcasts--;
    }
  }

  counters(): SenderCounters {
    return {
      dispatch: this.#dispatch.counters,
      queuedMessages: this.#dispatch.queuedMessages,
      queuedBytes: this.#dispatch.queuedBytes,
      waitingUsers: this.#dispatch.waitingUsers,
      waitingForClients: this.#dispatch.waitingForClients,
      traffic: this.#transport.traffic,
    };
  }

  observeBatches(observe: (seconds: number) => void): void {
    this.#observeBatch = observe;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #enqueue(user: string, data: string | Uint8Array, id: Id, options: SendOptions): Promise<Receipt> {
    this.#refuseWhenClosed();
    const binary = checkData(data, options.binary);
    parseUserId(user);
    const waits = checkWait(options.wait, this.#transport.whyNoWait);
    const deadline = Math.ceil(systemClock.now()) + this.#deadlineMs(options);
    const receipt = new Promise<Receipt>(keepSettle);
    this.#dispatch.send(new Pending(user, data, binary, id, this.#order++, deadline, keptSettle, waits));
    return receipt;
  }

  async #readyBy(deadline: number): Promise<void> {
    let cancel = (): void => {};
    const late = new Promise<never>((_, reject) => {
      const left = deadline - systemClock.now();
      if (left > longestTimerMs) return;
      cancel = systemClock.after(left, () => reject(this.#transport.whyNowhere()));
    });
    await Promise.race([this.#ready, late]).finally(cancel);
  }

  #deadlineMs({ deadlineMs }: SendOptions): number {
    if (deadlineMs === undefined) return this.#options.deadlineMs;
    checkWhole('deadlineMs', deadlineMs, 1, maxDeadlineMs);
    return deadlineMs;
  }

  #refuseWhenClosed(): void {
    if (this.#closing !== undefined) throw new PinwheelError('closed', 'the sender is closed');
  }

  async #close(): Promise<void> {
    // each of them has its receipt by its deadline
    while (this.#dispatch.queuedMessages > 0 || this.#broadcasts > 0) {
      await new Promise((resolve) => setTimeout(resolve, drainPollMs));
    }
    this.#dispatch.stop();
    await this.#transport.close();
  }
}
