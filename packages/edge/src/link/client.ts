import type { Attached, FrameInPlace, Receipt } from '@pinwheel/protocol';
import type { EdgeContext } from './edge-context.js';
import type { EdgeSession } from './edge-session.js';
import type { ClientPort } from './edge-world.js';
import type { Collecting } from './write-turn.js';

/** A MESSAGE or REPLY, in the client's own form. */
interface Collected {
  readonly data: Uint8Array;
  readonly binary: boolean;
  /** 0 for a REPLY. */
  readonly seq: number;
}

interface Pause {
  /** When the socket last took something, by the core's clock. */
  since: number;
  /** What was written to it since it was found full. */
  bytes: number;
}

/** A session's client: what it is written, and what it sends, in its own protocol. */
export abstract class Client implements Collecting {
  protected readonly context: EdgeContext;
  protected readonly session: EdgeSession;
  #port: ClientPort | undefined;
  /** What this turn brings. Most turns bring one. */
  #first: Collected | undefined;
  #more: Collected[] | undefined;
  #pause: Pause | undefined;

  constructor(context: EdgeContext, session: EdgeSession, port: ClientPort) {
    this.context = context;
    this.session = session;
    this.#port = port;
  }

  /** Whether it acknowledges what it gets, and can come back to its session. */
  abstract get acknowledges(): boolean;
  /** The client has sent a message. `data` is good until this returns. */
  abstract received(data: Uint8Array, binary: boolean): void;
  /** Asks it for a new token; a client that cannot be asked is not. */
  abstract askForToken(): void;
  /** The session is attached. @param isNews whether the stream is another one, or something is lost. */
  abstract attached(attached: Attached, isNews: boolean): void;
  abstract taken(number: number): void;
  abstract receipt(number: number, receipt: Receipt): void;
  /** A MESSAGE, or with 0 for `seq` a REPLY, has come for it. */
  abstract frame(seq: number, binary: boolean, frame: FrameInPlace): void;

  get isPaused(): boolean {
    return this.#pause !== undefined;
  }

  get isMany(): boolean {
    return this.#more !== undefined;
  }

  /** To be written at the end of this turn at the latest. */
  protected collect(collected: Collected): void {
    if (this.#port === undefined) return;
    if (this.#first === undefined) {
      this.#first = collected;
      this.context.turn.add(this);
    } else if (this.#more === undefined) this.#more = [collected];
    else this.#more.push(collected);
  }

  flush(): void {
    const first = this.#first;
    if (first === undefined || this.#port === undefined) return;
    if (this.#more === undefined) {
      this.#first = undefined;
      this.#writeCollected(first);
    } else this.context.turn.cork(this.#port, this);
    this.session.acknowledgeWritten();
  }

  /** Writes what was collected, one after the other. */
  writeAll(): void {
    const first = this.#first;
    const more = this.#more;
    this.#first = undefined;
    this.#more = undefined;
    if (first !== undefined) this.#writeCollected(first);
    if (more !== undefined) for (let i = 0; i < more.length; i++) this.#writeCollected(more[i]!);
  }

  /** Writes a message of its own, behind what was collected. */
  protected write(data: Uint8Array | string, binary: boolean): void {
    this.flush();
    this.put(data, binary);
  }

  #writeCollected({ data, binary, seq }: Collected): void {
    this.put(data, binary);
    // a client that was found to be too slow is gone by now
    if (this.#port !== undefined && seq > 0) this.session.wrote(seq);
  }

  protected put(data: Uint8Array | string, binary: boolean): void {
    const port = this.#port;
    if (port === undefined) return;
    const pause = this.#pause;
    if (pause !== undefined) {
      pause.bytes += data.length;
      if (pause.bytes > this.context.options.maxPausedBytes) {
        this.session.close('too-slow');
        return;
      }
    }
    if (!port.write(data, binary)) this.full();
  }

  /** It has sent a message, with that number, of which there is a copy in `frame`. */
  protected sent(number: number, frame: Uint8Array, awaitsReceipt: boolean): void {
    if (!this.session.sent.send(number, frame, awaitsReceipt)) this.session.close('inbound-overflow');
  }

  /** It has sent a new token. */
  protected renewed(token: string): void {
    this.#port?.renewed?.(token);
  }

  /** The socket holds too much. */
  full(): void {
    if (this.#pause !== undefined || this.#port === undefined) return;
    this.#pause = { since: this.context.world.clock.now(), bytes: 0 };
    this.context.counters.pauses++;
    this.context.paused.add(this);
    this.session.pause();
  }

  /** The socket has room again. */
  drained(): void {
    if (this.#pause === undefined) return;
    this.#pause = undefined;
    this.context.paused.delete(this);
    this.session.continue();
  }

  /** The socket has taken something, and holds too much still. */
  reading(): void {
    if (this.#pause !== undefined) this.#pause.since = this.context.world.clock.now();
  }

  /** Ends it when it has taken nothing since `before`. Whether it has not. */
  checkStalled(before: number): boolean {
    const isStalled = this.#pause !== undefined && this.#pause.since <= before;
    if (isStalled) this.session.close('too-slow');
    return isStalled;
  }

  /** Closes the socket behind what was written. */
  close(code: number, reason: string): void {
    this.flush();
    const port = this.#port;
    this.gone();
    port?.close(code, reason);
  }

  /** The socket is not used any more; what was not written is forgotten. */
  gone(): void {
    this.#port = undefined;
    this.#first = undefined;
    this.#more = undefined;
    if (this.#pause !== undefined) this.context.paused.delete(this);
    this.#pause = undefined;
  }
}
