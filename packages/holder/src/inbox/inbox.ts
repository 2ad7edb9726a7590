import { Buffer } from 'node:buffer';
import type { Position } from '@pinwheel/protocol';
import { type InboxBudget, memoryFor, mostUsed, shrinksFrom } from './inbox-budget.js';
import type { InboxLimits } from './inbox-limits.js';
import * as record from './inbox-record.js';
import type { Kept, SeenId } from './kept-message.js';

/** Ids of messages that nobody needs any more are still recognised for so long, and at most so many. */
const historySeconds = 60;
const historyMessages = 256;
const none: readonly Position[] = [];
const nothing = Buffer.alloc(0);

/**
 * The newest messages of a user, in one run of bytes rather than in objects: what is kept for every message must cost
 * the garbage collector nothing. Records before the first kept one are history: only their ids count, and their data
 * goes with the next move. The kept ones have consecutive numbers up to the stream's last.
 */
export class Inbox {
  readonly #budget: InboxBudget;
  readonly #limits: InboxLimits;
  #bytes: Buffer = nothing;
  /** History, as far as its data is gone, then history with data, then what is kept. */
  #from = 0;
  #wholeFrom = 0;
  #keptFrom = 0;
  #end = 0;
  /** Records of history, and their bytes without data. */
  #history = 0;
  #historyBytes = 0;
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
      this.keptBytes + record.headBytes + 64 + dataBytes <= this.#limits.maxBytes
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
    const length = record.bytesOf(id, data);
    if (!this.hasRoom(data.length) || !(this.#makeRoom(length, second) || this.#makeDo(length)))
      this.skip(id, second, sessions);
    else this.#put(id, binary, data, second, sessions);
  }

  /** Like {@link append}, but when an older one had to go nothing is done. Whether it is kept. */
  offer(id: string, binary: boolean, data: Uint8Array, second: number, sessions: number): boolean {
    const length = record.bytesOf(id, data);
    if (!this.hasRoom(data.length) || !this.#makeRoom(length, second)) return false;
    this.#put(id, binary, data, second, sessions);
    return true;
  }

  /** A message that is not kept: nothing before it can be replayed without a gap. An id is known, if there is room for it. */
  skip(id = '', second = 0, sessions = 0): void {
    while (this.#firstKept < this.#next) this.#letGo();
    if (id !== '' && this.#makeRoom(record.bytesOf(id, nothing), second)) {
      this.#put(id, false, nothing, second, sessions);
      this.#letGo();
      return;
    }
    this.#next++;
    this.#firstKept = this.#next;
  }

  /** To how many sessions the messages from `first` on were written; one that nobody got and that is not kept may come again. */
  wereWritten(first: number, sessionsOf: (place: number) => number): void {
    for (let at = this.#from; at < this.#end; at += record.lengthAt(this.#bytes, at)) {
      const place = record.seqAt(this.#bytes, at) - first;
      if (place < 0) continue;
      if (sessionsOf(place) === 0 && at < this.#keptFrom) record.forgetId(this.#bytes, at);
      else record.setSessions(this.#bytes, at, sessionsOf(place));
    }
  }

  /** Where else a kept message stood. */
  setOrigins(seq: number, origins: readonly Position[]): void {
    if (seq < this.#firstKept) return;
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
    while (this.#firstKept < this.#next && record.secondAt(this.#bytes, this.#keptFrom) < second) {
      this.#letGo();
      expired = true;
    }
    return expired;
  }

  /** Gives memory back: all when nothing is kept and no id is young enough to matter, else most of it when most is too much. */
  shrink(second: number): void {
    this.#forget(second);
    const size = memoryFor(this.#historyBytes + this.keptBytes);
    if (this.#from === this.#end) this.#giveBack();
    else if (size * shrinksFrom <= this.#bytes.length) {
      this.#budget.give(this.#bytes.length - size);
      this.#moveTo(Buffer.allocUnsafeSlow(size));
    }
  }

  /** Gives everything back. */
  clear(): void {
    this.#giveBack();
    this.#history = this.#historyBytes = 0;
    this.#firstKept = this.#next;
    this.#origins = undefined;
  }

  /** The kept messages behind `seq`, in order. */
  *after(seq: number): Iterable<Kept> {
    for (let at = this.#keptFrom; at < this.#end; at += record.lengthAt(this.#bytes, at)) {
      const bytes = this.#bytes;
      const here = record.seqAt(bytes, at);
      if (here <= seq) continue;
      const origins = this.#origins?.get(here) ?? none;
      yield {
        seq: here,
        id: record.idAt(bytes, at),
        binary: record.binaryAt(bytes, at),
        data: record.dataAt(bytes, at),
        origins,
      };
    }
  }

  /** What is known of a message by its id, kept or not; where it stands twice, of its newer place. */
  find(id: string): { readonly seq: number; readonly sessions: number } | undefined {
    const bytes = this.#bytes;
    let found = -1;
    for (let at = this.#from; at < this.#end; at += record.lengthAt(bytes, at))
      if (record.hasId(bytes, at, id)) found = at;
    return found === -1 ? undefined : record.placeAt(bytes, found);
  }

  /** Ids of messages that are not kept any more, the newest `most` of them, oldest first. */
  seen(second: number, most: number): readonly SeenId[] {
    const bytes = this.#bytes;
    const seen: SeenId[] = [];
    for (let at = this.#from; at < this.#keptFrom; at += record.lengthAt(bytes, at)) {
      if (record.secondAt(bytes, at) + historySeconds < second || record.isForgotten(bytes, at)) continue;
      seen.push({ id: record.idAt(bytes, at), ...record.placeAt(bytes, at) });
    }
    return seen.slice(-most);
  }

  /** Takes over ids that another holder of the stream has seen; only while the inbox is empty. */
  recall(seen: readonly SeenId[], second: number): void {
    if (this.#end > 0) return;
    const next = this.#next;
    for (const { id, sessions, seq = next - 1 } of seen) {
      this.#next = this.#firstKept = Math.min(seq, next - 1);
      this.append(id, false, nothing, second, sessions);
      this.release(next - 1);
    }
    this.#next = this.#firstKept = next;
  }

  #put(id: string, binary: boolean, data: Uint8Array, second: number, sessions: number): void {
    this.#end = record.write(this.#bytes, this.#end, this.#next, second, binary, sessions, id, data);
    this.#next++;
  }

  /** The oldest kept message becomes history. */
  #letGo(): void {
    if (this.#keptFrom < this.#end) {
      this.#historyBytes += record.bareBytes(this.#bytes, this.#keptFrom);
      this.#keptFrom += record.lengthAt(this.#bytes, this.#keptFrom);
      this.#history++;
    }
    this.#origins?.delete(this.#firstKept);
    this.#firstKept++;
  }

  /** Drops history that is old or too long. */
  #forget(second: number): void {
    while (
      this.#from < this.#keptFrom &&
      (this.#history > historyMessages || record.secondAt(this.#bytes, this.#from) + historySeconds < second)
    ) {
      this.#historyBytes -= record.bareBytes(this.#bytes, this.#from);
      this.#from += record.lengthAt(this.#bytes, this.#from);
      this.#history--;
    }
    this.#wholeFrom = Math.max(this.#wholeFrom, this.#from);
  }

  #makeRoom(length: number, second: number): boolean {
    if (this.#end + length <= this.#bytes.length) return true;
    this.#forget(second);
    const wanted = this.#historyBytes + this.keptBytes + length;
    // moved to the front while that frees a good part, else every append would move everything
    if (wanted <= this.#bytes.length * mostUsed) {
      this.#moveTo(this.#bytes);
      return true;
    }
    const size = memoryFor(wanted, this.#bytes.length);
    if (this.#budget.take(size - this.#bytes.length)) {
      this.#moveTo(Buffer.allocUnsafeSlow(size));
      return true;
    }
    // the node's memory is used up: the history goes first
    this.#dropHistory();
    return this.#end + length <= this.#bytes.length;
  }

  /** There is no more memory: the oldest go, as far as that helps. */
  #makeDo(length: number): boolean {
    while (this.#keptFrom < this.#end && this.keptBytes + length > this.#bytes.length) this.#letGo();
    this.#dropHistory();
    return this.#end + length <= this.#bytes.length;
  }

  #dropHistory(): void {
    this.#from = this.#wholeFrom = this.#keptFrom;
    this.#history = this.#historyBytes = 0;
    this.#moveTo(this.#bytes);
  }

  #giveBack(): void {
    this.#budget.give(this.#bytes.length);
    this.#bytes = nothing;
    this.#from = this.#wholeFrom = this.#keptFrom = this.#end = 0;
  }

  /** Moves everything to the front of `bytes`, which may be where it is; of history only the ids come along. */
  #moveTo(bytes: Buffer): void {
    const before = this.#bytes;
    let to = before.copy(bytes, 0, this.#from, this.#wholeFrom);
    for (let at = this.#wholeFrom; at < this.#keptFrom; ) {
      // looked up first: in place, the copy may stand where the record did
      const next = at + record.lengthAt(before, at);
      to = record.copyBare(before, at, bytes, to);
      at = next;
    }
    before.copy(bytes, to, this.#keptFrom, this.#end);
    this.#end = to + this.keptBytes;
    this.#from = 0;
    this.#wholeFrom = this.#keptFrom = to;
    this.#bytes = bytes;
  }
}
