import { maxMessages, messageBytes, numberOf } from './message-number.js';

/** A clock that all processes of this machine share, in µs. */
export function sharedMicros(): number {
  const [seconds, nanos] = process.hrtime();
  return seconds * 1e6 + nanos / 1000;
}

/** What has come to all clients of a process. */
export class Arrivals {
  received = 0;
  /** Messages that came after a later one of the same user. */
  disordered = 0;
  /** How often each message came, by its number. */
  readonly counts = new Uint8Array(maxMessages);
  /** When each came first; 0 when it did not. */
  readonly micros = new Float64Array(maxMessages);
  readonly #payloadBytes: number;

  constructor(payloadBytes: number = messageBytes) {
    this.#payloadBytes = payloadBytes;
  }

  /** Takes the messages of one user. */
  ofUser(): (bytes: Buffer, from: number, to: number) => void {
    let last = -1;
    return (bytes, from, to) => {
      const number = numberOf(bytes, from, to, this.#payloadBytes);
      if (this.counts[number]!++ === 0) this.micros[number] = sharedMicros();
      this.received++;
      if (number < last) this.disordered++;
      last = number;
    };
  }
}
