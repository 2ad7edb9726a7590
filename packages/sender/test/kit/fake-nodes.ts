import { type ErrorCode, PinwheelError, type Receipt, Receipts } from '@pinwheel/protocol';
import type { AckQuestion } from '../../src/ack-client.js';
import type { Outcome } from '../../src/batch-answer.js';
import { Dispatch, type DispatchLimits } from '../../src/dispatch.js';
import { Pending } from '../../src/pending.js';
import { FakeClock } from './fake-clock.js';

export const limits: DispatchLimits = {
  maxBatchMessages: 8,
  maxBatchBytes: 100_000,
  maxFlights: 4,
  maxQueuedMessages: 200,
  maxQueuedBytes: 10_000_000,
  maxAttempts: 6,
  deadlineMs: 5000,
};

interface InFlight {
  readonly member: string;
  readonly batch: readonly Pending[];
}

/** A question about what was acknowledged of a message. */
export interface Asked {
  readonly member: string;
  readonly question: AckQuestion;
  readonly waitMs: number;
}

/** What a batch met: something for every user of it, or the same failure for all. */
export type Fate =
  | {
      readonly kind: 'answered';
      readonly notOwner: ReadonlySet<string>;
      readonly offline?: boolean;
      /** Handed to a queue. */
      readonly published?: boolean;
      /** Kept, for users who are away. */
      readonly queued?: boolean;
      /** For users without a session that acknowledges. */
      readonly hasNoPlace?: boolean;
      /** What the node says of messages that it passed on to another one, which may have taken them. */
      readonly passedOn?: ErrorCode;
    }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly taken: boolean };

export const fine: Fate = { kind: 'answered', notOwner: new Set() };

/** A dispatch among simulated nodes; notes what it does and complains at once about what it must not do. */
export class FakeNodes {
  readonly clock = new FakeClock();
  readonly dispatch: Dispatch;
  /** Who owns whom; who is missing belongs to `n0`. */
  owners: (user: string) => string | undefined = () => 'n0';
  /** What a batch meets and after how many ms. */
  meets: (member: string, batch: readonly Pending[]) => { readonly fate: Fate; readonly afterMs: number } =
    () => ({
      fate: fine,
      afterMs: 1,
    });
  /** What a question about acknowledgements meets; the default is an answer at the end of its time. */
  acknowledges: (asked: Asked) => { readonly answer: Receipt | ErrorCode; readonly afterMs: number } = ({
    question,
    waitMs,
  }) => ({ answer: { ...question, status: 'queued' }, afterMs: waitMs });
  readonly asked: Asked[] = [];
  readonly batches: InFlight[] = [];
  readonly faults: string[] = [];
  readonly receipts = new Map<string, { readonly receipt: Receipt; readonly at: number }[]>();
  readonly sent = new Map<string, Pending>();
  /** Users about whom something is not known: their order is not promised. */
  readonly uncertain = new Set<string>();
  refreshes = 0;
  readonly #underWay = new Set<InFlight>();
  readonly #posts = new Map<string, number>();
  readonly #accepted = new Map<string, Set<number>>();
  readonly #limits: DispatchLimits;
  #order = 0;

  constructor(random: () => number = Math.random, changed: Partial<DispatchLimits> = {}) {
    this.#limits = { ...limits, ...changed };
    this.dispatch = new Dispatch(
      {
        clock: this.clock,
        random,
        ownerOf: (user) => this.owners(user),
        whyNobody: () => new PinwheelError('unavailable', 'nobody is there'),
        post: (member, batch, deadlineMs, ended) => {
          void this.#post(member, batch, deadlineMs).then((outcome) => ended(batch, outcome));
        },
        ask: (member, question, waitMs, deadlineMs) => this.#ask(member, question, waitMs, deadlineMs),
        refreshRing: () => {
          this.refreshes++;
        },
      },
      this.#limits,
    );
  }

  send(user: string, deadlineMs = 1000, data = 'x', waitForClient = false): string {
    const order = this.#order++;
    const id = `m${order}`;
    const deadline = this.clock.now() + deadlineMs;
    const settle = (receipt: Receipt): void => {
      const known = this.receipts.get(id) ?? [];
      known.push({ receipt, at: this.clock.now() });
      this.receipts.set(id, known);
    };
    const pending = new Pending(user, data, false, id, order, deadline, settle, waitForClient);
    this.sent.set(id, pending);
    this.dispatch.send(pending);
    return id;
  }

  receiptOf(id: string): Receipt | undefined {
    return this.receipts.get(id)?.[0]?.receipt;
  }

  async #post(member: string, batch: readonly Pending[], deadlineMs: number): Promise<Outcome> {
    this.#check(member, batch);
    const inFlight = { member, batch: [...batch] };
    this.batches.push(inFlight);
    this.#underWay.add(inFlight);
    const { fate, afterMs } = this.meets(member, batch);
    const late = afterMs >= deadlineMs;
    const waitMs = late ? Math.max(1, deadlineMs) : afterMs;
    await new Promise<void>((resolve) => {
      this.clock.after(waitMs, resolve);
    });
    this.#underWay.delete(inFlight);
    if (late) {
      this.#take(batch, new Set(), true);
      return failed('deadline');
    }
    if (fate.kind === 'failed') {
      if (fate.code === 'unknown-outcome') for (const { user } of batch) this.uncertain.add(user);
      if (fate.taken) this.#take(batch, new Set(), true);
      return failed(fate.code);
    }
    this.#take(batch, fate.notOwner, fate.passedOn !== undefined);
    const receipts = new Receipts(batch.length);
    batch.forEach(({ user, order, waitForClient }, i) => {
      const hasPlace = waitForClient && fate.hasNoPlace !== true;
      const place = hasPlace ? { stream: 's', seq: order + 1 } : undefined;
      if (fate.notOwner.has(user)) receipts.set(i, 'not-owner', 0, { owner: 'n9' });
      else if (fate.offline === true) receipts.set(i, 'offline');
      else if (fate.published === true) receipts.set(i, 'published');
      else if (fate.passedOn !== undefined) {
        const error = { code: fate.passedOn, message: `fake ${fate.passedOn}` };
        receipts.set(i, 'overloaded', 0, { error });
      } else if (fate.queued === true) receipts.set(i, 'queued', 0, place);
      else receipts.set(i, 'delivered', 1, place);
    });
    return { kind: 'answered', receipts, foreignUsers: 0, fingerprint: '', turn: 0 };
  }

  async #ask(member: string, question: AckQuestion, waitMs: number, deadlineMs: number): Promise<Receipt> {
    const asked = { member, question, waitMs };
    this.asked.push(asked);
    const { answer, afterMs } = this.acknowledges(asked);
    await new Promise<void>((resolve) => {
      this.clock.after(Math.min(afterMs, deadlineMs), resolve);
    });
    if (afterMs >= deadlineMs) throw new PinwheelError('deadline', 'no answer');
    if (typeof answer === 'string') throw new PinwheelError(answer, `fake ${answer}`);
    return answer;
  }

  #check(member: string, batch: readonly Pending[]): void {
    if (batch.length === 0 || batch.length > this.#limits.maxBatchMessages) {
      this.faults.push(`a batch of ${batch.length}`);
    }
    const bytes = batch.reduce((sum, message) => sum + message.bytes, 0);
    if (bytes > this.#limits.maxBatchBytes && batch.length > 1) this.faults.push(`a batch of ${bytes} bytes`);
    const beside = [...this.#underWay].filter((other) => other.member === member);
    const messages = beside.reduce((sum, other) => sum + other.batch.length, batch.length);
    if (beside.length > 0 && (messages > 64 || beside.length > 3)) {
      this.faults.push(`${beside.length + 1} batches to ${member} at once, with ${messages} messages`);
    }
    for (const { id, user, settled } of batch) {
      if (settled) this.faults.push(`${id} was sent after its receipt`);
      const posts = (this.#posts.get(id) ?? 0) + 1;
      this.#posts.set(id, posts);
      if (posts > this.#limits.maxAttempts) this.faults.push(`${id} was sent ${posts} times`);
      for (const other of this.#underWay) {
        if (other.batch.some((earlier) => earlier.user === user))
          this.faults.push(`${id} left to ${member} while ${user} had one unanswered at ${other.member}`);
      }
    }
  }

  #take(batch: readonly Pending[], notOwner: ReadonlySet<string>, uncertain: boolean): void {
    for (const { user, id, order } of batch) {
      if (uncertain) this.uncertain.add(user);
      if (notOwner.has(user)) continue;
      const accepted = this.#accepted.get(user) ?? new Set();
      this.#accepted.set(user, accepted);
      if (!this.uncertain.has(user) && [...accepted].some((earlier) => earlier >= order)) {
        this.faults.push(`${id} of ${user} was accepted after a later one`);
      }
      accepted.add(order);
    }
  }
}

function failed(code: ErrorCode): Outcome {
  return { kind: 'failed', error: new PinwheelError(code, `fake ${code}`) };
}
