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

  onMessage({ data, session }: MessageEvent): void | Promise<void> {
    const { world } = this.#process;
    const text = data.toString();
    const done = (): void => {
      world.note(() => `${this.#process.id} application has ${text} of session ${session}`);
      this.#ledger.applied.push({ text, node: this.#process.incarnation, at: world.now });
    };
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
