import { type AckWait, type HeldUser, type Holder, holdersToAsk, isOver, sentOnTo } from '@pinwheel/holder';
import { backoffMs, type Member } from '@pinwheel/membership';
import { type ErrorCode, maxHops, PinwheelError, type Receipt } from '@pinwheel/protocol';
import {
  type AckQuestion,
  isFinal,
  isTimeOver,
  nobodyAcknowledges,
  questionOf,
  timelyMs,
  unacknowledged,
} from '@pinwheel/sender';
import type { Passage } from './passage.js';

export interface AcknowledgementsOptions {
  readonly holder: Holder;
  /** Asks a member. Rejects when it does not answer, or does not know what it is asked. */
  readonly ask: (member: Member, question: AckQuestion, passage: Passage, waitMs: number) => Promise<Receipt>;
  readonly now: () => number;
  /** Calls once, later; returns the call that cancels it. */
  readonly after: (delayMs: number, call: () => void) => () => void;
  readonly random: () => number;
  /** Most that wait at the same time. */
  readonly maxWaiting: number;
}

/** Whoever waits for an answer. */
export interface Asker {
  /** Whether nobody waits any more. */
  readonly isGone: boolean;
  /** @param call is made when the asker goes away. Returns what takes it back. */
  whenGone(call: () => void): () => void;
}

const againWait = { firstMs: 25, longestMs: 500 };
/** With less time nobody else is asked. */
const lastQuestionMs = 20;
const otherStream = 'its user goes on in another stream: whether it was acknowledged is not known';
const gone = 'its user has no session any more: whether it was acknowledged is not known';

/**
 * Waits until a user's clients have acknowledged a message that was taken: here, or, when the user is elsewhere or goes
 * there meanwhile, by asking there. Nothing else waits for it.
 */
export class Acknowledgements {
  readonly #options: AcknowledgementsOptions;
  readonly #pauses = new Set<() => void>();
  #waiting = 0;
  #isClosed = false;

  constructor(options: AcknowledgementsOptions) {
    this.#options = options;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Ends every wait: what was acknowledged is not known. */
  close(): void {
    this.#isClosed = true;
    for (const over of this.#pauses) over();
  }

  /**
   * The receipt of a message that waits for its clients, of the one that says what became of it at first. Never rejects.
   *
   * @param asker as for {@link receiptOf}.
   */
  async follow(receipt: Receipt, deadline: number, asker: Asker): Promise<Receipt> {
    if (receipt.status !== 'delivered' && receipt.status !== 'queued') return receipt;
    const question = questionOf(receipt);
    if (question === undefined) return nobodyAcknowledges({ user: receipt.user });
    const answer = await this.receiptOf(question, { hops: 0, noForward: false, deadline }, asker);
    if (isFinal(answer) || isTimeOver(answer)) return answer;
    return unacknowledged(question, answer.error?.message ?? answer.status);
  }

  /**
   * What of a message has been acknowledged, as soon as that is settled, at the latest when the time of the passage is
   * over: `delivered` to as many sessions as have acknowledged, with an error `deadline` when others could have;
   * `queued`; `overloaded` with `deadline` or, when it will never be known, `unknown-outcome`. `not-owner` and
   * `overloaded` with another code say nothing of the message. Never rejects.
   *
   * @param asker once it is gone nothing is waited for.
   */
  async receiptOf(question: AckQuestion, passage: Passage, asker: Asker): Promise<Receipt> {
    const { maxWaiting } = this.#options;
    if (this.#waiting >= maxWaiting) {
      const why = `${this.#waiting} messages wait for their clients; the bound is ${maxWaiting}`;
      return refusal(question, 'overloaded', why);
    }
    this.#waiting++;
    try {
      return await this.#settled(question, passage, asker);
    } finally {
      this.#waiting--;
    }
  }

  async #settled(question: AckQuestion, passage: Passage, asker: Asker): Promise<Receipt> {
    const { now, random } = this.#options;
    let stand: Receipt | undefined;
    for (let failures = 0; ; ) {
      if (this.#isClosed) return refusal(question, 'closed', 'the node is closed');
      const answer =
        (await this.#here(question, passage.deadline, asker)) ?? (await this.#elsewhere(question, passage));
      if (isFinal(answer) || answer.status === 'not-owner') return answer;
      if (isTimeOver(answer)) stand = answer;
      failures = isTimeOver(answer) ? 0 : failures + 1;
      const leftMs = passage.deadline - now();
      if (leftMs <= lastQuestionMs || asker.isGone) return stand ?? answer;
      await this.#pause(Math.min(leftMs, backoffMs(failures, againWait, random)), asker);
    }
  }

  /** @param begin has the call that ends the pause early, as an asker does that goes away. */
  #pause(ms: number, asker: Asker, begin: (over: () => void) => void = () => {}): Promise<void> {
    return new Promise((resolve) => {
      const over = (): void => {
        cancel();
        this.#pauses.delete(over);
        stay();
        resolve();
      };
      const cancel = this.#options.after(ms, over);
      this.#pauses.add(over);
      const stay = asker.whenGone(over);
      begin(over);
      if (asker.isGone) over();
    });
  }

  /** `undefined`: the user is not here, not any more, or goes on in a stream that has not got the message. */
  async #here(question: AckQuestion, deadline: number, asker: Asker): Promise<Receipt | undefined> {
    const { holder, now } = this.#options;
    const held = holder.users.get(question.user);
    if (held === undefined) return undefined;
    let wait!: AckWait;
    await this.#pause(Math.max(0, deadline - now()), asker, (over) => {
      wait = held.awaitAcknowledgement(question, over);
      const { progress } = wait;
      if (progress === undefined || isOver(progress)) over();
    });
    held.stopWaiting(wait);
    // what was settled here stays so, whatever has become of the user since
    const isHere = wait.isFinished || holder.users.get(question.user) === held;
    return isHere ? receiptHere(wait, question) : undefined;
  }

  /** Asks whoever may hold the user. */
  async #elsewhere(question: AckQuestion, passage: Passage): Promise<Receipt> {
    const { holder } = this.#options;
    const { ownership, users } = holder;
    const where = ownership.whereabouts(question.user);
    if (where.kind === 'nobody') {
      return refusal(question, 'unavailable', 'the ring has no owner for this user');
    }
    const known = users.known(question.user);
    const to = sentOnTo(known, ownership.state.members);
    const isMine = where.kind === 'mine';
    const members = isMine ? holdersToAsk(to, where.before) : [to ?? where.owner];
    const [first] = members;
    if (first !== undefined && (passage.noForward || passage.hops >= maxHops)) {
      const { fingerprint } = ownership.state.ring;
      return { user: question.user, status: 'not-owner', owner: first.id, fingerprint };
    }
    let unsure: string | undefined;
    let lost: Receipt | undefined;
    for (const member of members) {
      const answer = await this.#ask(member, question, { ...passage, noForward: isMine });
      if (answer instanceof PinwheelError) unsure = answer.message;
      // who knows nothing of it need not be the one who has it
      else if (answer.error?.code === 'unknown-outcome') lost = answer;
      else if (answer.status !== 'not-owner') return answer;
      else if (!isMine) unsure = `${member.id} names ${answer.owner} as the holder of the user`;
    }
    if (unsure !== undefined) return refusal(question, 'unavailable', unsure);
    if (lost !== undefined) return lost;
    if (known?.kind === 'prepared' || (known?.kind === 'held' && mayBeMerged(known))) {
      return refusal(question, 'unavailable', 'the user is on its way here');
    }
    return nobodyAcknowledges(question, known?.kind === 'held' ? otherStream : gone);
  }

  async #ask(member: Member, question: AckQuestion, passage: Passage): Promise<Receipt | PinwheelError> {
    const { ask, now } = this.#options;
    const leftMs = Math.max(1, passage.deadline - now());
    try {
      return await ask(member, question, { ...passage, hops: passage.hops + 1 }, timelyMs(leftMs));
    } catch (thrown) {
      return PinwheelError.from(thrown);
    }
  }
}

function receiptHere({ progress }: AckWait, question: AckQuestion): Receipt | undefined {
  if (progress === undefined) return undefined;
  const { user, stream, seq } = question;
  const { have, attached, away, isKept } = progress;
  if (have > 0) {
    const receipt: Receipt = { user, status: 'delivered', sessions: have, stream, seq };
    const message = `${attached} more attached sessions have not acknowledged it in time`;
    return attached === 0 ? receipt : { ...receipt, error: { code: 'deadline', message } };
  }
  if (attached + away === 0) return nobodyAcknowledges(question);
  return isKept ? { user, status: 'queued', stream, seq } : unacknowledged(question);
}

/** Whether the message may yet come here out of another stream. */
function mayBeMerged({ contested, incoming }: HeldUser): boolean {
  return contested !== undefined || incoming !== undefined;
}

function refusal({ user }: AckQuestion, code: ErrorCode, message: string): Receipt {
  return { user, status: 'overloaded', error: { code, message } };
}
