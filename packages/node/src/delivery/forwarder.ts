import type { Member } from '@pinwheel/membership';
import {
  batchedBytes,
  type ErrorCode,
  type Message,
  type OutgoingMessage,
  PinwheelError,
  type Receipt,
} from '@pinwheel/protocol';
import {
  defaultOutboxLimits,
  type Ended,
  flightsToNode,
  type Landed,
  type NodeClients,
  Outbox,
} from '@pinwheel/sender';
import type { Passage } from './passage.js';

/** The end of a forward: a receipt, or why there is none. */
export type Forwarded = Receipt | { readonly failed: ErrorCode; readonly why: string };

export interface ForwarderOptions {
  readonly clients: NodeClients;
  /** A member as it is now; `undefined` when it has left. */
  readonly memberOf: (id: string) => Member | undefined;
  readonly now: () => number;
  /** Most messages that may be on their way at once; more are `overloaded`. */
  readonly maxWaiting: number;
  /** A node is about to be asked; takes what it says of itself with its answer. */
  readonly asking: (member: string) => (fingerprint: string, foreignUsers: number) => void;
}

class Forwarding implements OutgoingMessage {
  readonly user: string;
  readonly data: Uint8Array;
  readonly binary: boolean;
  readonly id: string;
  readonly waitForClient: boolean;
  /** Whoever sent it may have tried again elsewhere while it was on its way here. */
  readonly repeated = true;
  readonly bytes: number;
  readonly deadline: number;
  readonly done: (end: Forwarded) => void;

  constructor(message: Message, deadline: number, done: (end: Forwarded) => void) {
    this.user = message.user;
    this.data = message.data;
    this.binary = message.binary;
    this.id = message.id;
    this.waitForClient = message.waitForClient;
    this.bytes = batchedBytes(message);
    this.deadline = deadline;
    this.done = done;
  }
}

/**
 * Passes messages on to another node, in batches by what is already waiting. Messages that are given in one call
 * travel in their order; they are views into their batch, which must stay as it is until the end is known.
 */
export class Forwarder {
  readonly #options: ForwarderOptions;
  readonly #outboxes = new Map<string, Outbox<Forwarding>>();
  #waiting = 0;

  constructor(options: ForwarderOptions) {
    this.#options = options;
  }

  /** Messages on their way. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Never rejects. */
  forward(member: Member, messages: readonly Message[], options: Passage): Promise<readonly Forwarded[]> {
    if (this.#waiting + messages.length > this.#options.maxWaiting) {
      const why = `${this.#waiting} messages are being forwarded; the bound is ${this.#options.maxWaiting}`;
      return Promise.resolve(messages.map(() => ({ failed: 'overloaded', why })));
    }
    this.#waiting += messages.length;
    const outbox = this.#outbox(member, options);
    return Promise.all(
      messages.map(
        (message) =>
          new Promise<Forwarded>((resolve) =>
            outbox.push(new Forwarding(message, options.deadline, resolve)),
          ),
      ),
    );
  }

  /** The nodes that have left need no outbox. */
  keepOnly(members: ReadonlyMap<string, Member>): void {
    for (const key of this.#outboxes.keys()) {
      const outbox = this.#outboxes.get(key)!;
      const gone = !members.has(key.slice(key.indexOf(' ') + 1));
      if (gone && outbox.open.length === 0 && outbox.inFlight.length === 0) this.#outboxes.delete(key);
    }
  }

  #outbox(member: Member, { hops, noForward }: Passage): Outbox<Forwarding> {
    const key = `${hops}${noForward ? '!' : ''} ${member.id}`;
    let outbox = this.#outboxes.get(key);
    if (outbox === undefined) {
      outbox = new Outbox<Forwarding>(
        (message) => this.#inTime(message),
        (batch, landed) => this.#post(member.id, batch, { hops, noForward }, landed),
        { ...defaultOutboxLimits, maxFlights: flightsToNode, keepsUsersTogether: true },
      );
      this.#outboxes.set(key, outbox);
    }
    return outbox;
  }

  #inTime(message: Forwarding): boolean {
    if (message.deadline > this.#options.now()) return true;
    this.#end(message, {
      failed: 'deadline',
      why: 'the time for this message had passed before it was forwarded',
    });
    return false;
  }

  #post(
    id: string,
    batch: readonly Forwarding[],
    way: Pick<Passage, 'hops' | 'noForward'>,
    landed: Landed<Forwarding>,
  ): void {
    const { clients, memberOf, now, asking } = this.#options;
    const heard = asking(id);
    let hasHeard = false;
    const ended: Ended<Forwarding> = (items, outcome) =>
      landed(items, () => {
        if (outcome.kind === 'failed') {
          const { code, message: why } = outcome.error;
          for (const message of items) this.#end(message, { failed: code, why });
          return;
        }
        // the rest of an answer comes later, with the head that it began with
        if (!hasHeard) heard(outcome.fingerprint, outcome.foreignUsers);
        hasHeard = true;
        for (const [i, message] of items.entries())
          this.#end(message, outcome.receipts.receipt(i, message.user));
      });
    // asked for at every batch: a member that came back may listen elsewhere
    const member = memberOf(id);
    if (member === undefined) {
      ended(batch, { kind: 'failed', error: new PinwheelError('unreachable', `member ${id} has left`) });
      return;
    }
    const deadline = Math.max(...batch.map((message) => message.deadline));
    try {
      void clients.of(member).post(batch, { deadlineMs: deadline - now(), ...way }, ended);
    } catch (thrown) {
      // the node has been closed since the batch was filled
      ended(batch, { kind: 'failed', error: PinwheelError.from(thrown) });
    }
  }

  #end(message: Forwarding, end: Forwarded): void {
    this.#waiting--;
    message.done(end);
  }
}
