import type { Attached, FrameInPlace, NodeFramesIn, Receipt } from '@pinwheel/protocol';
import { PinwheelError } from '@pinwheel/protocol';
import type { EdgeSession } from './edge-session.js';
import type { LinkCounters } from './link-counters.js';

/** What a link itself does with a node's frames. */
export interface NodeGreeting {
  greeted(version: number, node: string, incarnation: string): void;
  pinged(number: number): void;
}

/** Hands the frames of one link to the sessions that are pinned to it. What finds none is dropped: that is the fence. */
export class FramesFromNode implements NodeFramesIn {
  readonly #link: NodeGreeting;
  readonly #sessions: ReadonlyMap<number, EdgeSession>;
  readonly #counters: LinkCounters;
  #isGreeted = false;

  constructor(link: NodeGreeting, sessions: ReadonlyMap<number, EdgeSession>, counters: LinkCounters) {
    this.#link = link;
    this.#sessions = sessions;
    this.#counters = counters;
  }

  hello(version: number, node: string, incarnation: string): void {
    if (this.#isGreeted) throw new PinwheelError('protocol', 'HELLO has come already');
    this.#link.greeted(version, node, incarnation);
    this.#isGreeted = true;
  }

  message(number: number, seq: number, binary: boolean, frame: FrameInPlace): void {
    this.#of(number)?.message(seq, binary, frame);
  }

  reply(number: number, binary: boolean, frame: FrameInPlace): void {
    this.#of(number)?.reply(binary, frame);
  }

  attached(attached: Attached): void {
    this.#of(attached.session)?.attached(attached);
  }

  repin(number: number, to: string, handoff: string): void {
    this.#of(number)?.repinned(to, handoff);
  }

  taken(number: number, upTo: number): void {
    this.#of(number)?.taken(upTo);
  }

  receipt(number: number, of: number, receipt: Receipt): void {
    this.#of(number)?.receipt(of, receipt);
  }

  close(number: number, code: number, reason: string): void {
    this.#of(number)?.closedByNode(code, reason);
  }

  ping(number: number): void {
    this.#mustBeGreeted();
    this.#link.pinged(number);
  }

  /** That something was heard is all that counts. */
  pong(): void {
    this.#mustBeGreeted();
  }

  #of(number: number): EdgeSession | undefined {
    const session = this.#sessions.get(number);
    if (session !== undefined) return session;
    this.#mustBeGreeted();
    this.#counters.framesDropped++;
    return undefined;
  }

  #mustBeGreeted(): void {
    if (!this.#isGreeted) throw new PinwheelError('protocol', 'the first frame must be HELLO');
  }
}
