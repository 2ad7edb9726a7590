import { backoffMs, type Clock } from '@pinwheel/membership';
import { PinwheelError, type Receipt } from '@pinwheel/protocol';
import type { AckQuestion } from './ack-client.js';
import {
  isFinal,
  isTimeOver,
  nobodyAcknowledges,
  questionOf,
  timelyMs,
  unacknowledged,
} from './ack-receipts.js';
import type { Pending } from './pending.js';

/** What the waits for clients need of the world. */
export interface ClientWaitsWorld {
  readonly clock: Clock;
  readonly random: () => number;
  ownerOf(user: string): string | undefined;
  /**
   * Asks a member what has been acknowledged of a message. It answers when that is settled, after `waitMs` at the
   * latest. Rejects when no answer came within `deadlineMs`.
   */
  ask(member: string, question: AckQuestion, waitMs: number, deadlineMs: number): Promise<Receipt>;
  refreshRing(): void;
}

interface Wait {
  readonly message: Pending;
  readonly question: AckQuestion;
  /** Questions in a row that led to nothing. */
  failures: number;
  /** Whether a node has said already that another one should be asked. */
  isRedirected: boolean;
  cancel: (() => void) | undefined;
}

const againWait = { firstMs: 25, longestMs: 500 };
const onQueue =
  'its node has published it to a queue, which answers nothing: give the sender the strategy of the nodes, and no wait';
/** With less time no other question is asked. */
const lastQuestionMs = 100;

/**
 * Messages that were taken and whose receipts wait for their clients: asks where they are until that is settled. The
 * order of a user's messages is no concern of theirs any more. They have no timer for their deadline: whoever settles
 * a message elsewhere calls {@link forgetSettled}.
 */
export class ClientWaits {
  readonly #world: ClientWaitsWorld;
  readonly #settle: (message: Pending, receipt: Receipt) => void;
  readonly #waits = new Set<Wait>();

  constructor(world: ClientWaitsWorld, settle: (message: Pending, receipt: Receipt) => void) {
    this.#world = world;
    this.#settle = settle;
  }

  get size(): number {
    return this.#waits.size;
  }

  *messages(): Iterable<Pending> {
    for (const { message } of this.#waits) yield message;
  }

  /** @param receipt what became of the message at first: it was written or is kept. */
  add(message: Pending, receipt: Receipt): void {
    if (message.settled) return;
    const question = questionOf(receipt);
    if (question === undefined) {
      const why = receipt.status === 'published' ? onQueue : undefined;
      this.#settle(message, nobodyAcknowledges({ user: message.user }, why));
      return;
    }
    message.lastWord = receipt.status === 'queued' ? receipt : unacknowledged(question);
    const wait = { message, question, failures: 0, isRedirected: false, cancel: undefined };
    this.#waits.add(wait);
    this.#askOwner(wait);
  }

  /** To be called when messages were settled elsewhere. */
  forgetSettled(): void {
    for (const wait of this.#waits) if (wait.message.settled) this.#forget(wait);
  }

  #askOwner(wait: Wait): void {
    const owner = this.#world.ownerOf(wait.question.user);
    if (owner === undefined) this.#failed(wait, 'nobody owns the user by the ring');
    else void this.#ask(owner, wait);
  }

  async #ask(member: string, wait: Wait): Promise<void> {
    const { clock, ask } = this.#world;
    const leftMs = Math.max(1, wait.message.deadline - clock.now());
    try {
      this.#answered(wait, await ask(member, wait.question, timelyMs(leftMs), leftMs));
    } catch (thrown) {
      this.#failed(wait, PinwheelError.from(thrown).message);
    }
  }

  #answered(wait: Wait, answer: Receipt): void {
    const { message } = wait;
    if (isFinal(answer)) {
      this.#end(wait, answer);
    } else if (isTimeOver(answer)) {
      message.lastWord = answer;
      wait.failures = 0;
      if (message.deadline - this.#world.clock.now() <= lastQuestionMs) this.#end(wait, answer);
      else this.#again(wait);
    } else if (answer.status === 'not-owner' && answer.owner !== undefined && !wait.isRedirected) {
      wait.isRedirected = true;
      void this.#ask(answer.owner, wait);
    } else {
      this.#failed(wait, answer.error?.message ?? `the node names ${answer.owner} as the holder of the user`);
    }
  }

  /** It is not known what was acknowledged. */
  #failed(wait: Wait, why: string): void {
    const { message, question } = wait;
    if (message.lastWord?.status === 'overloaded') message.lastWord = unacknowledged(question, why);
    wait.failures++;
    this.#world.refreshRing();
    this.#again(wait);
  }

  #again(wait: Wait): void {
    const { clock, random } = this.#world;
    if (wait.message.settled) {
      this.#forget(wait);
      return;
    }
    wait.isRedirected = false;
    wait.cancel = clock.after(backoffMs(wait.failures, againWait, random), () => this.#askOwner(wait));
  }

  #end(wait: Wait, receipt: Receipt): void {
    this.#forget(wait);
    this.#settle(wait.message, receipt);
  }

  #forget(wait: Wait): void {
    wait.cancel?.();
    this.#waits.delete(wait);
  }
}
