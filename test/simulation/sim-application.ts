import type { Ledger } from './ledger.js';
import type { SimProcess } from './sim-process.js';

interface MessageEvent {
  readonly user: string;
  readonly session: string;
  readonly data: string | Buffer;
}

/** An application that writes down what it gets, and takes its time. */
export class SimApplication {
  readonly #process: SimProcess;
  readonly #ledger: Ledger;
  readonly #longestMs: () => number;

  constructor(process: SimProcess, ledger: Ledger, longestMs: () => number) {
    this.#process = process;
    this.#ledger = ledger;
    this.#longestMs = longestMs;
  }

  onConnect({ session }: Pick<MessageEvent, 'session'>): void | Promise<void> {
    const { world, id } = this.#process;
    return this.#takeTime(() => {
      world.note(() => `${id} application has heard of session ${session}`);
      this.#ledger.begun.add(session);
    });
  }

  onMessage({ data, session }: MessageEvent): void | Promise<void> {
    const { world, id } = this.#process;
    const text = data.toString();
    if (!this.#ledger.begun.has(session)) world.violate('I8 before its session began', `${text} at ${id}`);
    return this.#takeTime(() => {
      world.note(() => `${id} application has ${text} of session ${session}`);
      this.#ledger.applied.push({ text, node: this.#process.incarnation, at: world.now });
    });
  }

  #takeTime(done: () => void): void | Promise<void> {
    const { world } = this.#process;
    const longestMs = this.#longestMs();
    if (longestMs === 0 || world.chance(0.3)) return done();
    return new Promise((over) => {
      const ms = world.chance(0.9) ? world.random() * 50 : world.random() * longestMs;
      this.#process.clock.after(ms, () => {
        done();
        over();
      });
    });
  }

  onSend(): boolean {
    return true;
  }
}
