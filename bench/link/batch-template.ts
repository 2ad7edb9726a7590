import { numberedMessage } from '@pinwheel/bench/load/message-number.js';
import { BatchWriter } from '@pinwheel/protocol';

const digits = 8;
const first = 10 ** (digits - 1);
const idBytes = digits;

/**
 * A batch for one node that is encoded once and then only numbered anew: a message costs its sender next to nothing.
 * Each has its number as id, too.
 */
export class BatchTemplate {
  readonly bytes: Buffer;
  /** Of the first message, in the batch as it is now. */
  from = 0;
  readonly #places: readonly number[];

  constructor(users: readonly string[]) {
    const messages = users.map((user, i) => ({
      user,
      data: numberedMessage(i),
      binary: false,
      id: String(first + i),
      waitForClient: false,
      repeated: false,
    }));
    this.bytes = Buffer.from(new BatchWriter().write(messages));
    const places: number[] = [];
    let at = 0;
    messages.forEach(({ id }) => {
      // the id, then the payload that begins with the same digits
      for (let i = 0; i < 2; i++) {
        at = this.bytes.indexOf(id, at, 'latin1');
        if (at === -1) throw new Error(`no ${id} in the batch`);
        places.push(at);
        at += idBytes;
      }
    });
    this.#places = places;
  }

  get length(): number {
    return this.#places.length / 2;
  }

  /** Its messages are numbered from `from` on. */
  number(from: number): void {
    this.from = from;
    const places = this.#places;
    for (let i = 0; i < places.length; i++) this.#write(places[i]!, first + from + (i >> 1));
  }

  #write(at: number, number: number): void {
    for (let i = at + digits - 1; i >= at; i--) {
      this.bytes[i] = 0x30 + (number % 10);
      number = Math.floor(number / 10);
    }
  }
}
