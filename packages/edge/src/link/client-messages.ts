import type { EdgeContext } from './edge-context.js';
import { KeptMessages } from './kept-messages.js';
import type { Pin } from './pin.js';

/** What a session's client sends: to the node that it is pinned to, and again to the next one until it was processed. */
export class ClientMessages {
  readonly #context: EdgeContext;
  readonly #pin: Pin;
  /** Most sessions have nothing to keep. */
  #kept: KeptMessages | undefined;

  constructor(context: EdgeContext, pin: Pin) {
    this.#context = context;
    this.#pin = pin;
  }

  /** Whether everything was processed. */
  get isTaken(): boolean {
    return this.#kept?.isTaken ?? true;
  }

  /** What is kept. */
  get bytes(): number {
    return this.#kept?.bytes ?? 0;
  }

  /**
   * @param frame a MESSAGE or SEND, in bytes of its own.
   * @param awaitsReceipt whether it is a SEND: that it was taken does not say that its receipt has come.
   * @returns whether there is room.
   */
  send(number: number, frame: Uint8Array, awaitsReceipt: boolean): boolean {
    this.#kept ??= new KeptMessages();
    if (!this.#kept.add(number, frame, awaitsReceipt)) return false;
    this.#write(frame);
    return true;
  }

  /** @param frame a SEND that was processed, in bytes of its own: its client has had no receipt. */
  askAgain(number: number, frame: Uint8Array): void {
    this.#kept ??= new KeptMessages();
    this.#kept.awaitReceipt(number, frame);
    this.#write(frame);
  }

  /** The node that the session was attached to is lost. */
  nodeLost(): void {
    this.#kept?.mayBeProcessed();
  }

  /** To the node behind a new pin. */
  sendAgain(): void {
    for (const frame of this.#kept?.frames() ?? []) this.#pin.out?.client(this.#pin.number, frame);
  }

  taken(number: number): void {
    this.#kept?.taken(number);
    this.#letGo();
  }

  answered(number: number): void {
    this.#kept?.answered(number);
    this.#letGo();
  }

  clear(): void {
    this.#kept = undefined;
  }

  #write(frame: Uint8Array): void {
    this.#context.counters.messagesFromClients++;
    this.#pin.out?.client(this.#pin.number, frame);
  }

  #letGo(): void {
    if (this.#kept?.isEmpty) this.#kept = undefined;
  }
}
