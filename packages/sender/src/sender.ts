import { createRingTracker, type RingState, type RingTracker, systemClock } from '@pinwheel/membership';
import { maxDeadlineMs, PinwheelError, parseUserId, type Receipt } from '@pinwheel/protocol';
import { Signer } from '@pinwheel/trust';
import type { AckQuestion, AskOptions } from './ack-client.js';
import { type BroadcastReceipt, broadcastThrough } from './broadcast.js';
import { checkData, checkId, checkWait } from './check-message.js';
import { Dispatch, type DispatchCounters } from './dispatch.js';
import { numberedIds } from './message-ids.js';
import type { NodeClient, Outcome } from './node-client.js';
import { NodeClients } from './node-clients.js';
import { Pending } from './pending.js';
import { checkSenderOptions, type SenderOptions, within } from './sender-options.js';

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
   * subprotocol pinwheel.v1 cannot. It holds up no other message.
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
}

/** Reaches users from any process. One per process is enough. */
export interface Sender {
  /** Resolves when the first ring is there; rejects when there will be none, for example `settings-mismatch`. */
  ready(): Promise<void>;
  /**
   * Sends one message; resolves with its receipt, by the deadline. A user's messages arrive in the order of the
   * calls. Bytes must not be changed before the receipt. May be called before `ready`.
   *
   * @throws PinwheelError (rejects) for a bad user or id, data over 1,048,576 bytes, and after `close`.
   */
  send(user: string, data: string | Uint8Array, options?: SendOptions): Promise<Receipt>;
  /** The same message to many users, one request per owner; receipts in the order of the users. */
  sendMany(
    users: readonly string[],
    data: string | Uint8Array,
    options?: Omit<SendOptions, 'id'>,
  ): Promise<readonly Receipt[]>;
  /** To every connected user through every node. */
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
  return new RingSender(options);
}

type Id = ConstructorParameters<typeof Pending>[3];

const drainPollMs = 10;
const noOptions: SendOptions = {};

let keptSettle: (receipt: Receipt) => void;

/** One executor for every promise: a closure for each message is a tenth of the memory that a message takes. */
function keepSettle(settle: (receipt: Receipt) => void): void {
  keptSettle = settle;
}

class RingSender implements Sender {
  readonly #options;
  readonly #clients: NodeClients;
  readonly #dispatch: Dispatch;
  readonly #idOf = numberedIds();
  readonly #tracker: RingTracker;
  readonly #ownsTracker: boolean;
  readonly #ready: Promise<void>;
  #state: RingState | undefined;
  #unsubscribe: () => void = () => {};
  #startError: PinwheelError | undefined;
  #order = 0;
  #observeBatch: (seconds: number) => void = () => {};
  #closing: Promise<void> | undefined;

  constructor(options: SenderOptions) {
    this.#options = checkSenderOptions(options);
    const { membership, tracker, ringSettings, keys } = options;
    this.#clients = new NodeClients(keys === undefined ? undefined : new Signer(keys));
    this.#ownsTracker = tracker === undefined;
    this.#tracker =
      tracker ??
      createRingTracker({ membership: membership!, settings: ringSettings ?? {}, log: this.#options.log });
    this.#dispatch = new Dispatch(
      {
        clock: systemClock,
        random: Math.random,
        ownerOf: (user) => this.#state?.ring.owner(user),
        whyNobody: () => this.#whyNobody(),
        post: (member, batch, deadlineMs) => this.#post(member, batch, deadlineMs),
        ask: (member, question, waitMs, deadlineMs) => this.#ask(member, question, { waitMs, deadlineMs }),
        refreshRing: () => void this.#tracker.refresh(),
      },
      this.#options,
    );
    this.#ready = this.#start();
    // whoever does not ask for `ready` learns it from the receipts
    this.#ready.catch(() => {});
  }

  ready(): Promise<void> {
    return this.#ready;
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
    const deadlineMs = this.#deadlineMs(options);
    await this.#ready;
    return broadcastThrough(this.#tracker.current, this.#clients, data, binary, deadlineMs);
  }

  counters(): SenderCounters {
    return {
      dispatch: this.#dispatch.counters,
      queuedMessages: this.#dispatch.queuedMessages,
      queuedBytes: this.#dispatch.queuedBytes,
      waitingUsers: this.#dispatch.waitingUsers,
      waitingForClients: this.#dispatch.waitingForClients,
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
    const waits = checkWait(options.wait);
    const deadline = Math.ceil(systemClock.now()) + this.#deadlineMs(options);
    const receipt = new Promise<Receipt>(keepSettle);
    this.#dispatch.send(new Pending(user, data, binary, id, this.#order++, deadline, keptSettle, waits));
    return receipt;
  }

  async #start(): Promise<void> {
    try {
      this.#state = this.#ownsTracker ? await this.#tracker.start() : this.#tracker.current;
    } catch (thrown) {
      this.#startError = PinwheelError.from(thrown, 'membership');
      throw this.#startError;
    }
    this.#unsubscribe = this.#tracker.subscribe((current) => this.#follow(current));
    this.#follow(this.#tracker.current);
  }

  #follow(current: RingState): void {
    this.#state = current;
    this.#dispatch.ringChanged();
    this.#clients.keepOnly(current.members);
  }

  async #post(id: string, batch: readonly Pending[], deadlineMs: number): Promise<Outcome> {
    try {
      const client = this.#clientOf(id);
      const start = performance.now();
      const outcome = await client.post(batch, { deadlineMs });
      this.#observeBatch((performance.now() - start) / 1000);
      return outcome;
    } catch (thrown) {
      return { kind: 'failed', error: PinwheelError.from(thrown) };
    }
  }

  async #ask(id: string, question: AckQuestion, options: AskOptions): Promise<Receipt> {
    return this.#clientOf(id).acknowledgement(question, options);
  }

  #clientOf(id: string): NodeClient {
    const member = this.#state?.members.get(id);
    if (member === undefined) throw new PinwheelError('unreachable', `member ${id} has left`);
    if (member.kind === 'foreign') {
      const why = `member ${id} is no Pinwheel node; a foreign backend is reached through an edge only`;
      throw new PinwheelError('bad-request', why);
    }
    return this.#clients.of(member);
  }

  #whyNobody(): PinwheelError {
    if (this.#startError !== undefined) return this.#startError;
    const why = this.#state === undefined ? 'there is no ring yet' : 'the ring has no members';
    return new PinwheelError('unavailable', why);
  }

  #deadlineMs({ deadlineMs }: SendOptions): number {
    if (deadlineMs === undefined) return this.#options.deadlineMs;
    within('deadlineMs', deadlineMs, 1, maxDeadlineMs);
    return deadlineMs;
  }

  #refuseWhenClosed(): void {
    if (this.#closing !== undefined) throw new PinwheelError('closed', 'the sender is closed');
  }

  async #close(): Promise<void> {
    const last = systemClock.now() + this.#options.deadlineMs;
    while (this.#dispatch.queuedMessages > 0 && systemClock.now() < last) {
      await new Promise((resolve) => setTimeout(resolve, drainPollMs));
    }
    this.#dispatch.abandon('closed', 'the sender was closed before an answer came');
    this.#unsubscribe();
    await this.#clients.close();
    if (this.#ownsTracker) await this.#tracker.close();
  }
}
