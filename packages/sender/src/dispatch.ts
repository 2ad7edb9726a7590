import { backoffMs } from '@pinwheel/membership';
import type { ErrorCode, PinwheelError, Receipt } from '@pinwheel/protocol';
import type { Ended, Outcome } from './batch-answer.js';
import { ClientWaits, type ClientWaitsWorld } from './client-waits.js';
import { createDispatchCounters } from './dispatch-counters.js';
import { Lanes } from './lanes.js';
import { doubtOf, isDelivered, isTriedAgain, overloaded, unanswered, unsent } from './last-words.js';
import { type Landed, Outbox, type OutboxLimits } from './outbox.js';
import type { Pending } from './pending.js';
import type { Moved } from './ring-places.js';

/** What the dispatch needs of the world. */
export interface DispatchWorld extends ClientWaitsWorld {
  /** Id of the member that owns a user by the ring as it is now; `undefined` when nobody does. */
  ownerOf(user: string): string | undefined;
  /** Why nobody owns a user: there is no ring yet, or it is empty. */
  whyNobody(): PinwheelError;
  /** Sends a batch to a member and says what became of it. Never fails. */
  post(member: string, batch: readonly Pending[], deadlineMs: number, ended: Ended<Pending>): void;
  /** The ring seems to be out of date. Cheap to call often. */
  refreshRing(): void;
}

export interface DispatchLimits extends OutboxLimits {
  readonly maxQueuedMessages: number;
  readonly maxQueuedBytes: number;
  readonly maxAttempts: number;
  /** Longest time of one request, in ms: a patient message must not hold up the others of its batch. */
  readonly deadlineMs: number;
}

const retryWait = { firstMs: 25, longestMs: 500 };
const sweepMs = 100;
const laneMs = 10;

/**
 * Takes messages to their owners: one outbox a member, a lane for each user that has to wait. It has no sockets
 * and no clock of its own.
 */
export class Dispatch {
  readonly counters = createDispatchCounters();
  readonly #world: DispatchWorld;
  readonly #limits: DispatchLimits;
  readonly #outboxes = new Map<string, Outbox<Pending>>();
  readonly #lanes = new Lanes();
  readonly #clientWaits: ClientWaits;
  #queuedMessages = 0;
  #queuedBytes = 0;
  #nextSweep: (() => void) | undefined;
  /** Infinity when nothing waits. */
  #nextSweepAt = Number.POSITIVE_INFINITY;

  constructor(world: DispatchWorld, limits: DispatchLimits) {
    this.#world = world;
    this.#limits = limits;
    this.#clientWaits = new ClientWaits(world, (message, receipt) => this.#settle(message, receipt));
  }

  /** Messages without a receipt. */
  get queuedMessages(): number {
    return this.#queuedMessages;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Users with messages that wait for an earlier one. */
  get waitingUsers(): number {
    return this.#lanes.size;
  }

  /** Messages that were taken and wait for their clients. */
  get waitingForClients(): number {
    return this.#clientWaits.size;
  }

  send(message: Pending): void {
    const { maxQueuedMessages, maxQueuedBytes } = this.#limits;
    if (this.#queuedMessages >= maxQueuedMessages || this.#queuedBytes + message.bytes > maxQueuedBytes) {
      this.counters.refused++;
      this.counters.receipts.overloaded++;
      const held = `${this.#queuedMessages} messages and ${this.#queuedBytes} bytes`;
      const bound = `${maxQueuedMessages} messages and ${maxQueuedBytes} bytes`;
      message.settle(
        overloaded(message, 'overloaded', `the sender's queue holds ${held}; its bound is ${bound}`),
      );
      return;
    }
    this.#queuedMessages++;
    this.#queuedBytes += message.bytes;
    if (message.deadline < this.#nextSweepAt) this.#wake(message.deadline);
    const lane = this.#lanes.size === 0 ? undefined : this.#lanes.of(message.user);
    if (lane === undefined) this.#route(message);
    else lane.waiting.push(message);
  }

  /** To be called after every change of the ring. */
  ringChanged(): void {
    for (const from of this.#outboxes.keys()) {
      this.#moveOn({ from, has: (user) => this.#world.ownerOf(user) !== from });
    }
    this.#releaseLanes();
  }

  /** To be called when these users have another owner. */
  usersMoved(moved: Moved): void {
    this.#moveOn(moved);
    this.#releaseLanes();
  }

  /** Nothing is sent any more and every message has its receipt: no timer is left, which would keep a process up. */
  stop(): void {
    this.#nextSweep?.();
  }

  #moveOn(moved: Moved): void {
    const outbox = this.#outboxes.get(moved.from);
    if (outbox === undefined) return;
    for (const message of outbox.inFlight) {
      if (message.lane !== undefined || !moved.has(message.user)) continue;
      const lane = this.#lanes.open(message.user);
      lane.unanswered++;
      message.lane = lane;
    }
    for (const message of outbox.withdraw(({ user }) => moved.has(user))) {
      this.#lanes.open(message.user).insert(message);
    }
    if (outbox.inFlight.length === 0 && outbox.open.length === 0) this.#outboxes.delete(moved.from);
  }

  #route(message: Pending): void {
    const member = this.#world.ownerOf(message.user);
    if (member === undefined) {
      const { code, message: why } = this.#world.whyNobody();
      this.#retry(message, overloaded(message, code, why));
      return;
    }
    let outbox = this.#outboxes.get(member);
    if (outbox === undefined) {
      outbox = new Outbox<Pending>(
        (queued) => this.#leaves(queued),
        (batch, landed) => this.#post(member, batch, landed),
        this.#limits,
      );
      this.#outboxes.set(member, outbox);
    }
    outbox.push(message);
  }

  #post(member: string, batch: readonly Pending[], landed: Landed<Pending>): void {
    const now = this.#world.clock.now();
    let deadline = now;
    for (const message of batch) deadline = Math.max(deadline, message.deadline);
    this.counters.batches++;
    this.counters.batchedMessages += batch.length;
    this.#world.post(member, batch, Math.min(deadline - now, this.#limits.deadlineMs), (items, outcome) =>
      landed(items, () => this.#ended(member, items, outcome)),
    );
  }

  #ended(member: string, batch: readonly Pending[], outcome: Outcome): void {
    const { retries } = this.counters;
    if (outcome.kind === 'failed') {
      for (const message of batch) this.#failed(message, outcome.error.code, outcome.error.message);
    } else {
      for (let i = 0; i < batch.length; i++)
        this.#answered(batch[i]!, outcome.receipts.receipt(i, batch[i]!.user));
    }
    if (this.counters.retries > retries) this.#lineUp(member);
    this.#releaseLanes();
  }

  /** What is queued for a member goes behind an earlier message of its user that is tried again. */
  #lineUp(member: string): void {
    const queued =
      this.#outboxes.get(member)?.withdraw(({ user }) => this.#lanes.of(user) !== undefined) ?? [];
    for (const message of queued) this.#lanes.open(message.user).insert(message);
  }

  /** A message whose user got a lane after it was queued waits there instead. */
  #leaves(queued: Pending): boolean {
    const lane = this.#lanes.size === 0 ? undefined : this.#lanes.of(queued.user);
    lane?.insert(queued);
    return lane === undefined;
  }

  #answered(message: Pending, receipt: Receipt): void {
    this.#leaveLane(message);
    if (isDelivered(receipt)) {
      if (message.waitForClient) this.#clientWaits.add(message, receipt);
      else this.#settle(message, receipt);
    } else if (receipt.status === 'not-owner' || isTriedAgain(receipt.error?.code)) {
      // what the node said may be of another one, which it passed the message on to
      this.#retry(message, receipt);
    } else this.#settle(message, doubtOf(message) ?? receipt);
  }

  #failed(message: Pending, code: ErrorCode, why: string): void {
    this.#leaveLane(message);
    const receipt = overloaded(message, code, why);
    if (isTriedAgain(code)) this.#retry(message, receipt);
    else this.#settle(message, doubtOf(message) ?? receipt);
  }

  #leaveLane(message: Pending): void {
    if (message.lane === undefined) return;
    message.lane.unanswered--;
    message.lane = undefined;
  }

  #retry(message: Pending, lastWord: Receipt): void {
    message.attempts++;
    message.lastWord = doubtOf(message) ?? lastWord;
    const now = this.#world.clock.now();
    if (message.attempts >= this.#limits.maxAttempts || message.deadline <= now) {
      this.#settle(message, message.lastWord);
      return;
    }
    this.counters.retries++;
    this.#world.refreshRing();
    const lane = this.#lanes.open(message.user);
    lane.insert(message);
    lane.retryAt = Math.max(lane.retryAt, now + backoffMs(message.attempts, retryWait, this.#world.random));
    this.#wake(now + laneMs);
  }

  #releaseLanes(): void {
    if (this.#lanes.size === 0) return;
    for (const message of this.#lanes.release(this.#world.clock.now())) this.#route(message);
  }

  #settle(message: Pending, receipt: Receipt): void {
    if (!message.settle(receipt)) return;
    this.#queuedMessages--;
    this.#queuedBytes -= message.bytes;
    this.counters.receipts[receipt.status]++;
  }

  /** Has the sweep run at that time by the clock, or before. It runs only while something waits. */
  #wake(at: number): void {
    if (this.#nextSweepAt <= at) return;
    this.#nextSweep?.();
    this.#nextSweepAt = at;
    this.#nextSweep = this.#world.clock.after(Math.max(0, at - this.#world.clock.now()), () => {
      this.#nextSweepAt = Number.POSITIVE_INFINITY;
      this.#sweep();
    });
  }

  #sweep(): void {
    const now = this.#world.clock.now();
    for (const { inFlight } of this.#outboxes.values()) {
      for (const message of inFlight) if (message.deadline <= now) this.#settle(message, unanswered(message));
    }
    let earliest = Number.POSITIVE_INFINITY;
    let over = false;
    for (const message of this.#everything()) {
      if (message.deadline <= now) this.#settle(message, message.lastWord ?? unsent(message));
      if (message.settled) over = true;
      else earliest = Math.min(earliest, message.deadline);
    }
    if (over) this.#forgetSettled();
    this.#releaseLanes();
    // a sweep looks at everything: deadlines that are close together wait for one another
    if (earliest !== Number.POSITIVE_INFINITY) this.#wake(Math.max(earliest, now + sweepMs));
    if (this.#lanes.size > 0) this.#wake(now + laneMs);
  }

  /** They count towards no bound any more, so they must not pile up behind a node that does not answer. */
  #forgetSettled(): void {
    for (const outbox of this.#outboxes.values()) outbox.withdraw(({ settled }) => settled);
    this.#lanes.forgetSettled();
    this.#clientWaits.forgetSettled();
  }

  *#everything(): Iterable<Pending> {
    for (const outbox of this.#outboxes.values()) {
      yield* outbox.inFlight;
      yield* outbox.open;
    }
    yield* this.#lanes.waiting();
    yield* this.#clientWaits.messages();
  }
}
