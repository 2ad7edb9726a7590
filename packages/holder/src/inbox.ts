import type { Position } from '@pinwheel/protocol';
import type { InboxBudget } from './inbox-budget.js';

export interface InboxLimits {
  /** Most messages that are kept for one user. */
  readonly maxMessages: number;
  /** Most bytes that are kept for one user, about 30 for each message beside its data. */
  readonly maxBytes: number;
}

/** A message that is kept. Its data is a view that the next append may move. */
export interface Kept {
  readonly seq: number;
  readonly id: string;
  readonly binary: boolean;
  readonly data: Uint8Array;
  /** Where it stood in the streams that were merged into this one. */
  readonly origins: readonly Position[];
}

/** An id that has been seen, and what became of it. */
export interface SeenId {
  readonly id: string;
  readonly sessions: number;
}

const headBytes = 15;
const firstBytes = 1024;
/** Ids of messages that nobody needs any more are still recognised for so long, and at most so many. */
const historySeconds = 10;
const historyMessages = 256;
const none: readonly Position[] = [];
const nothing = Buffer.alloc(0);

/**
 * The newest messages of a user, in one run of bytes rather than in objects: what is kept for every message must cost
 * the garbage collector nothing. A record is
 *
 *     u32 length · u32 seq · u32 second · u8 binary · u8 sessions · u8 id bytes · id · data
 *
 * Records before the first kept one are history: only their ids count. The kept ones have consecutive numbers up to
 * the stream's last.
 */
export class Inbox {
  readonly #budget: InboxBudget;
  readonly #limits: InboxLimits;
  #bytes: Buffer = nothing;
  #from = 0;
  #keptFrom = 0;
  #end = 0;
  #history = 0;
  #firstKept: number;
  #next: number;
  #origins: Map<number, readonly Position[]> | undefined;

  /** @param next the seq of the next message. */
  constructor(budget: InboxBudget, limits: InboxLimits, next: number) {
    this.#budget = budget;
    this.#limits = limits;
    this.#firstKept = next;
    this.#next = next;
  }

  /** Seq of the oldest message that is kept; the next one's when none is. */
  get firstKept(): number {
    return this.#firstKept;
  }

  /** The seq of the next message. */
  get next(): number {
    return this.#next;
  }

  get keptMessages(): number {
    return this.#next - this.#firstKept;
  }

  get keptBytes(): number {
    return this.#end - this.#keptFrom;
  }

  /** What it takes of the budget. */
  get memoryBytes(): number {
    return this.#bytes.length;
  }

  /** Whether a message of that size could be kept without letting go of another one. */
  hasRoom(dataBytes: number): boolean {
    return (
      this.keptMessages < this.#limits.maxMessages &&
      this.keptBytes + headBytes + 64 + dataBytes <= this.#limits.maxBytes
    );
  }

  /**
   * Keeps the message with the next seq; older ones go when the bounds want it. One that is over them by itself is
   * passed over, like {@link skip}.
   *
   * @param sessions to how many sessions it is written.
   */
  append(id: string, binary: boolean, data: Uint8Array, second: number, sessions: number): void {
    while (this.#firstKept < this.#next && !this.hasRoom(data.length)) this.#letGo();
    const length = headBytes + id.length + data.length;
    if (!this.hasRoom(data.length) || !this.#makeRoom(length, second)) {
      this.skip();
      return;
    }
    const bytes = this.#bytes;
    const at = this.#end;
    writeU32(bytes, at, length);
    writeU32(bytes, at + 4, this.#next);
    writeU32(bytes, at + 8, second);
    bytes[at + 12] = binary ? 1 : 0;
    bytes[at + 13] = Math.min(sessions, 255);
    bytes[at + 14] = id.length;
    for (let i = 0; i < id.length; i++) bytes[at + headBytes + i] = id.charCodeAt(i);
    bytes.set(data, at + headBytes + id.length);
    this.#end = at + length;
    this.#next++;
  }

  /** A message that is not kept: nothing before it can be replayed without a gap. */
  skip(): void {
    while (this.#firstKept < this.#next) this.#letGo();
    this.#next++;
    this.#firstKept = this.#next;
  }

  /** Where else a kept message stood. */
  setOrigins(seq: number, origins: readonly Position[]): void {
    this.#origins ??= new Map();
    this.#origins.set(seq, [...(this.#origins.get(seq) ?? none), ...origins].slice(-4));
  }

  /** Where a kept message stands that stood there in another stream. */
  seqOf({ stream, seq }: Position): number | undefined {
    for (const [here, origins] of this.#origins ?? []) {
      if (origins.some((origin) => origin.stream === stream && origin.seq === seq)) return here;
    }
    return undefined;
  }

  /** Nobody needs the messages up to `seq` any more. */
  release(seq: number): void {
    while (this.#firstKept <= seq && this.#firstKept < this.#next) this.#letGo();
  }

  /** Lets go of what is older than that second. Whether anything was. */
  expire(second: number): boolean {
    let expired = false;
    while (this.#firstKept < this.#next && readU32(this.#bytes, this.#keptFrom + 8) < second) {
      this.#letGo();
      expired = true;
    }
    return expired;
  }

  /** Gives the memory back when nothing is kept and no id is young enough to matter. */
  shrink(second: number): void {
    if (this.#end === 0 || this.#firstKept < this.#next) return;
    this.#forget(second);
    if (this.#from < this.#end) return;
    this.#budget.give(this.#bytes.length);
    this.#bytes = nothing;
    this.#from = this.#keptFrom = this.#end = 0;
  }

  /** Gives everything back. */
  clear(): void {
    this.#budget.give(this.#bytes.length);
    this.#bytes = nothing;
    this.#from = this.#keptFrom = this.#end = this.#history = 0;
    this.#firstKept = this.#next;
    this.#origins = undefined;
  }

  /** The kept messages behind `seq`, in order. */
  *after(seq: number): Iterable<Kept> {
    let at = this.#keptFrom;
    while (at < this.#end) {
      const record = readU32(this.#bytes, at + 4);
      const length = readU32(this.#bytes, at);
      if (record > seq) {
        const dataAt = at + headBytes + this.#bytes[at + 14]!;
        yield {
          seq: record,
          id: this.#idAt(at),
          binary: this.#bytes[at + 12] === 1,
          data: this.#bytes.subarray(dataAt, at + length),
          origins: this.#origins?.get(record) ?? none,
        };
      }
      at += length;
    }
  }

  /** What is known of a message by its id, kept or not. */
  find(id: string): { readonly seq: number; readonly sessions: number } | undefined {
    for (let at = this.#from; at < this.#end; at += readU32(this.#bytes, at)) {
      if (this.#bytes[at + 14] === id.length && this.#idAt(at) === id) {
        return { seq: readU32(this.#bytes, at + 4), sessions: this.#bytes[at + 13]! };
      }
    }
    return undefined;
  }

  /** Ids of messages that are not kept any more, the newest `most` of them, oldest first. */
  seen(second: number, most: number): readonly SeenId[] {
    const seen: SeenId[] = [];
    for (let at = this.#from; at < this.#keptFrom; at += readU32(this.#bytes, at)) {
      if (readU32(this.#bytes, at + 8) + historySeconds < second) continue;
      seen.push({ id: this.#idAt(at), sessions: this.#bytes[at + 13]! });
    }
    return seen.slice(-most);
  }

  /** Takes over ids that another holder has seen, as if they were the last before the next; only while the inbox is empty. */
  recall(seen: readonly SeenId[], second: number): void {
    if (this.#end > 0) return;
    const next = this.#next;
    for (const { id, sessions } of seen) {
      this.#next = this.#firstKept = next - 1;
      this.append(id, false, nothing, second, sessions);
      this.release(next - 1);
    }
  }

  #idAt(at: number): string {
    return this.#bytes.toString('latin1', at + headBytes, at + headBytes + this.#bytes[at + 14]!);
  }

  /** The oldest kept message becomes history. */
  #letGo(): void {
    if (this.#keptFrom < this.#end) {
      this.#keptFrom += readU32(this.#bytes, this.#keptFrom);
      this.#history++;
    }
    this.#origins?.delete(this.#firstKept);
    this.#firstKept++;
  }

  /** Drops history that is old or too long. */
  #forget(second: number): void {
    while (
      this.#from < this.#keptFrom &&
      (this.#history > historyMessages || readU32(this.#bytes, this.#from + 8) + historySeconds < second)
    ) {
      this.#from += readU32(this.#bytes, this.#from);
      this.#history--;
    }
  }

  #makeRoom(length: number, second: number): boolean {
    if (this.#end + length <= this.#bytes.length) return true;
    this.#forget(second);
    const wanted = this.#end - this.#from + length;
    // moved to the front while that frees a good part, else every append would move everything
    if (wanted <= this.#bytes.length * 0.75) {
      this.#moveTo(this.#bytes);
      return true;
    }
    let size = Math.max(firstBytes, this.#bytes.length);
    while (size * 0.75 < wanted) size *= 2;
    if (this.#budget.take(size - this.#bytes.length)) {
      this.#moveTo(Buffer.allocUnsafeSlow(size));
      return true;
    }
    // no memory left: the history goes first
    this.#from = this.#keptFrom;
    this.#history = 0;
    this.#moveTo(this.#bytes);
    return this.#end + length <= this.#bytes.length;
  }

  #moveTo(bytes: Buffer): void {
    this.#bytes.copy(bytes, 0, this.#from, this.#end);
    this.#bytes = bytes;
    this.#keptFrom -= this.#from;
    this.#end -= this.#from;
    this.#from = 0;
  }
}

function readU32(bytes: Buffer, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

function writeU32(bytes: Buffer, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}
