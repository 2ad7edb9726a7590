import type { AttachRequest, EdgeFrames } from '@pinwheel/protocol';

/** What a frame holds on to beside its bytes, about. */
const frameBytes = 256;

/**
 * Reads a link that is in doubt. Its edge may have given it up long ago and have attached its sessions elsewhere, with
 * all that was not taken: what is about sessions waits, in order, until that is known.
 */
export class HeldFrames implements EdgeFrames {
  readonly #link: EdgeFrames;
  readonly #held: (() => void)[] = [];
  #bytes = 0;

  constructor(link: EdgeFrames) {
    this.#link = link;
  }

  /** What waits holds on to so many, about. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @throws what the link throws. */
  release(): void {
    for (const frame of this.#held) frame();
  }

  hello(version: number, edge: string, incarnation: string): void {
    this.#link.hello(version, edge, incarnation);
  }

  attach(request: AttachRequest): void {
    this.#hold(() => this.#link.attach(request));
  }

  client(session: number, frame: Uint8Array): void {
    const copy = Uint8Array.from(frame);
    this.#hold(() => this.#link.client(session, copy), copy.length);
  }

  ack(session: number, seq: number): void {
    this.#hold(() => this.#link.ack(session, seq));
  }

  pause(session: number): void {
    this.#hold(() => this.#link.pause(session));
  }

  continue(session: number): void {
    this.#hold(() => this.#link.continue(session));
  }

  detach(session: number, seq: number): void {
    this.#hold(() => this.#link.detach(session, seq));
  }

  closed(session: number, code: number, reason: string): void {
    this.#hold(() => this.#link.closed(session, code, reason));
  }

  leave(session: number, code: number, reason: string): void {
    this.#hold(() => this.#link.leave(session, code, reason));
  }

  ping(number: number): void {
    this.#link.ping(number);
  }

  pong(number: number): void {
    this.#link.pong(number);
  }

  #hold(frame: () => void, bytes = 0): void {
    this.#bytes += bytes + frameBytes;
    this.#held.push(frame);
  }
}
