import {
  type ClientReceipt,
  encodeClientFrame,
  markRepeated,
  maxMessageBytes,
  PinwheelError,
} from '@pinwheel/protocol/client';
import type { Clock } from './client-world.js';
import type { Content } from './content.js';
import { PendingSend } from './pending-send.js';

/**
 * What may be under way, half of what an edge keeps of a client before it calls it too fast. A message that is larger
 * goes alone.
 */
const mostUnderWay = 128;
const mostBytesUnderWay = 131_072;
/** Half as long as nodes know a message by its id, and as many as an edge keeps: of more the newest. */
const askedAgainMs = 30_000;
const mostAskedAgain = 64;
const mostBytesAskedAgain = 65_536;

export interface OutgoingLimits {
  readonly maxQueuedMessages: number;
  readonly maxQueuedBytes: number;
  readonly sendTimeoutMs: number;
}

interface Waiting {
  readonly content: Content;
  readonly pending: PendingSend;
}

interface Written {
  readonly kind: Content['kind'];
  readonly number: number;
  readonly frame: Uint8Array;
  readonly bytes: number;
  /** For the first time, by the client's clock. */
  readonly writtenAt: number;
  readonly pending: PendingSend;
}

/**
 * What a client sends, until the server has taken it. A message gets its number when it is written for the first time:
 * one that was never written can be withdrawn, and one that was is written again, with the same number, on each new
 * connection.
 */
export class Outgoing {
  readonly #limits: OutgoingLimits;
  readonly #clock: Clock;
  /** Written at least once, by number without a gap. */
  readonly #written: Written[] = [];
  #writtenBytes = 0;
  readonly #waiting: Waiting[] = [];
  #waitingBytes = 0;
  /** Taken, and their receipts are still to come, by number, the lowest first. */
  readonly #unanswered = new Map<number, Written>();
  #unansweredBytes = 0;
  #lastNumber = 0;
  /** Largest message that the server takes, in bytes, as far as it has said. */
  #mostBytes = maxMessageBytes;
  /** Missing while there is no connection. */
  #write: ((frame: Uint8Array) => void) | undefined;
  #cancelExpiry: (() => void) | undefined;

  constructor(limits: OutgoingLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /**
   * Takes a message over; it is written before this returns when there is room. Bytes may be changed afterwards.
   *
   * @returns when the server has taken it, for a message; for a send, its receipt.
   * @throws PinwheelError (rejects) `overloaded` at the bound; `too-large` for more than the server takes; `deadline` when
   * it was not written in time, `unknown-outcome` when it was and no answer came.
   */
  add(content: Content): Promise<ClientReceipt | undefined> {
    const { maxQueuedMessages, maxQueuedBytes, sendTimeoutMs } = this.#limits;
    const count = this.#written.length + this.#waiting.length + this.#unanswered.size;
    const bytes = this.#writtenBytes + this.#unansweredBytes + this.#waitingBytes + content.data.length;
    if (count >= maxQueuedMessages) {
      const why = `${count} messages wait to be taken or answered; there is room for ${maxQueuedMessages}`;
      return Promise.reject(new PinwheelError('overloaded', why));
    }
    if (bytes > maxQueuedBytes) {
      const why = `${bytes} bytes would wait to be taken or answered; there is room for ${maxQueuedBytes}`;
      return Promise.reject(new PinwheelError('overloaded', why));
    }
    const pending = new PendingSend(this.#clock.now() + sendTimeoutMs);
    if (this.#refuseTooLarge(content, pending)) return pending.outcome;
    if (this.#hasRoom(content.data.length)) this.#writeFirst(content, pending);
    else {
      this.#waiting.push({ content: { ...content, data: new Uint8Array(content.data) }, pending });
      this.#waitingBytes += content.data.length;
    }
    this.#cancelExpiry ??= this.#clock.after(sendTimeoutMs, () => this.#expire());
    return pending.outcome;
  }

  /**
   * There is a connection, and the server has taken everything up to this number: the rest is written again, and before
   * it what has no receipt, which may have been lost with the connection before. A node knows it by its number or its id.
   *
   * What was given up meanwhile is not: one that the application fails on would be in the way of those behind it for ever.
   *
   * @param mostBytes the largest message that the server takes.
   * @param write is called until {@link pause}.
   * @throws PinwheelError `protocol` for a number that was never written.
   */
  resume(taken: number, mostBytes: number, write: (frame: Uint8Array) => void): void {
    this.#take(taken);
    this.#mostBytes = mostBytes;
    this.#giveUp();
    // a timer may be late, and a process have slept: what is too old must not be done now
    this.#cancelExpiry?.();
    this.#write = undefined;
    this.#expire();
    this.#write = write;
    for (const { frame } of this.#toAskAgain()) {
      markRepeated(frame);
      write(frame);
    }
    for (const { frame } of this.#written) write(frame);
    this.#writeWaiting();
  }

  /** There is no connection. */
  pause(): void {
    this.#write = undefined;
  }

  /**
   * The server has taken everything up to this number.
   *
   * @throws PinwheelError `protocol` for a number that was never written.
   */
  taken(number: number): void {
    this.#take(number);
    this.#writeWaiting();
  }

  /** A receipt has come. One for a send that nobody waits for any more is nothing to anybody. */
  receipt(number: number, receipt: ClientReceipt): void {
    const answered = this.#unanswered.get(number) ?? this.#written[number - this.#firstWritten];
    this.#forget(number);
    answered?.pending.resolve(receipt);
  }

  /**
   * The session is over: whatever waits for an answer will have none.
   *
   * @param takesNone the service takes no messages: what was written is not in doubt.
   */
  end(why: string, takesNone = false): void {
    this.#write = undefined;
    this.#cancelExpiry?.();
    for (const { kind, pending } of this.#written) {
      if (takesNone && kind === 'message') pending.reject('not-allowed', why);
      else pending.reject('unknown-outcome', `${why} before it was taken`);
    }
    for (const { pending } of this.#unanswered.values()) {
      pending.reject('unknown-outcome', `${why} before the receipt came`);
    }
    for (const { pending } of this.#waiting) pending.reject('closed', `${why} before it was sent`);
    this.#written.length = 0;
    this.#waiting.length = 0;
    this.#unanswered.clear();
    this.#writtenBytes = this.#unansweredBytes = this.#waitingBytes = 0;
  }

  get #firstWritten(): number {
    return this.#lastNumber - this.#written.length + 1;
  }

  #hasRoom(bytes: number): boolean {
    return this.#write !== undefined && this.#waiting.length === 0 && this.#fits(bytes);
  }

  #fits(bytes: number): boolean {
    const count = this.#written.length;
    return count === 0 || (count < mostUnderWay && this.#writtenBytes + bytes <= mostBytesUnderWay);
  }

  #writeFirst(content: Content, pending: PendingSend): void {
    const number = ++this.#lastNumber;
    const bytes = content.data.length;
    const frame = encodeClientFrame(
      content.kind === 'send' ? { ...content, number, repeated: false } : { ...content, number },
    );
    const writtenAt = this.#clock.now();
    this.#written.push({ kind: content.kind, number, frame, bytes, writtenAt, pending });
    this.#writtenBytes += bytes;
    this.#write?.(frame);
  }

  #writeWaiting(): void {
    if (this.#write === undefined) return;
    for (;;) {
      const next = this.#waiting[0];
      if (next === undefined || !this.#fits(next.content.data.length)) return;
      this.#waiting.shift();
      this.#waitingBytes -= next.content.data.length;
      if (!this.#refuseTooLarge(next.content, next.pending)) this.#writeFirst(next.content, next.pending);
    }
  }

  /** A message that is too large would be the end of the session. */
  #refuseTooLarge({ data }: Content, pending: PendingSend): boolean {
    if (data.length <= this.#mostBytes) return false;
    pending.reject('too-large', `data has ${data.length} bytes; the server takes at most ${this.#mostBytes}`);
    return true;
  }

  /** What was written up to the last one that this server does not take, as numbers have no gaps. */
  #giveUp(): void {
    const tooLarge = this.#written.findLastIndex(({ bytes }) => bytes > this.#mostBytes);
    const bound = `this server takes at most ${this.#mostBytes} bytes`;
    for (const { bytes, pending } of this.#written.slice(0, tooLarge + 1)) {
      const why = bytes > this.#mostBytes ? bound : `one behind it is larger: ${bound}`;
      pending.reject('unknown-outcome', `it was sent elsewhere, and ${why}`);
    }
  }

  /** Up to the first one that somebody waits for: they will not be written again. */
  #dropSettled(): void {
    const kept = this.#written.findIndex(({ pending }) => !pending.isSettled);
    const gone = this.#written.splice(0, kept < 0 ? this.#written.length : kept);
    for (const { bytes } of gone) this.#writtenBytes -= bytes;
  }

  #toAskAgain(): readonly Written[] {
    const since = this.#clock.now() - askedAgainMs;
    const fitting = [...this.#unanswered.values()].filter((one) => one.bytes <= this.#mostBytes);
    const newest = fitting.slice(-mostAskedAgain);
    let bytes = 0;
    const from = newest.findLastIndex((one) => {
      bytes += one.bytes;
      return one.writtenAt <= since || bytes > mostBytesAskedAgain;
    });
    return newest.slice(from + 1);
  }

  #take(taken: number): void {
    if (taken > this.#lastNumber) {
      const why = `the server has taken ${taken}; the last number sent is ${this.#lastNumber}`;
      throw new PinwheelError('protocol', why);
    }
    const count = taken - this.#firstWritten + 1;
    if (count <= 0) return;
    for (const one of this.#written.splice(0, count)) {
      const { kind, number, bytes, pending } = one;
      this.#writtenBytes -= bytes;
      if (kind === 'message') pending.resolve();
      else if (!pending.isSettled) {
        this.#unanswered.set(number, one);
        this.#unansweredBytes += bytes;
      }
    }
  }

  /** No receipt of it is waited for any more. */
  #forget(number: number): void {
    this.#unansweredBytes -= this.#unanswered.get(number)?.bytes ?? 0;
    this.#unanswered.delete(number);
  }

  /** Deadlines rise with numbers, and what waits comes after what is written. */
  #expire(): void {
    const now = this.#clock.now();
    const within = `within ${this.#limits.sendTimeoutMs} ms`;
    for (const [number, { pending }] of this.#unanswered) {
      if (pending.deadline > now) break;
      this.#forget(number);
      pending.reject('unknown-outcome', `it was taken, and no receipt came ${within}`);
    }
    for (const { pending } of this.#written) {
      if (pending.deadline > now) break;
      pending.reject('unknown-outcome', `it was sent, and not taken ${within}`);
    }
    if (this.#write === undefined) this.#dropSettled();
    while (this.#waiting.length > 0 && this.#waiting[0]!.pending.deadline <= now) {
      const { content, pending } = this.#waiting.shift()!;
      this.#waitingBytes -= content.data.length;
      pending.reject('deadline', `it could not be sent ${within}`);
    }
    const next = this.#oldestUnsettled();
    this.#cancelExpiry =
      next === undefined
        ? undefined
        : this.#clock.after(Math.ceil(next.deadline - now), () => this.#expire());
  }

  #oldestUnsettled(): PendingSend | undefined {
    for (const { pending } of this.#unanswered.values()) return pending;
    for (const { pending } of this.#written) if (!pending.isSettled) return pending;
    return this.#waiting[0]?.pending;
  }
}
