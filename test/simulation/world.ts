import { Dice } from './dice.js';
import { EventQueue, type Scheduled } from './event-queue.js';
import { hasPromised, watchPromises } from './promised.js';
import type { SimProcess } from './sim-process.js';

/** Something is wrong that must never be. */
export class Violation extends Error {
  /** Which promise was broken: `I3 a message is lost`. Shrinking keeps to the one that it began with. */
  readonly rule: string;

  constructor(rule: string, detail: string) {
    super(`${rule}: ${detail}`);
    this.name = 'Violation';
    this.rule = rule;
  }
}

/** More turns at one instant than any real cause brings forth. */
const mostTurnsAtOnce = 10_000;

/**
 * Time, chance and the order of things, for everybody in a simulation. One event runs at a time; what it promises is
 * kept before the next one begins.
 */
export class World extends Dice {
  readonly violations: Violation[] = [];
  readonly trace: string[] = [];
  readonly isTraced: boolean;
  /** Called after every event with the process that it concerned, if any. */
  checks: ((process: SimProcess | undefined) => void)[] = [];
  #now = 0;
  #steps = 0;
  readonly #queue = new EventQueue();
  #soon: { readonly process: SimProcess; readonly call: () => void }[] = [];

  constructor(seed: number, isTraced = false) {
    super(seed);
    this.isTraced = isTraced;
  }

  /** In ms since the beginning. */
  get now(): number {
    return this.#now;
  }

  get steps(): number {
    return this.#steps;
  }

  /** @param process whose event it is: it waits while that is paused, and never happens once that is dead. */
  after(delayMs: number, process: SimProcess | undefined, call: () => void): () => void {
    const scheduled = this.#queue.add(this.#now + Math.max(0, delayMs), process, call);
    return () => {
      scheduled.call = undefined;
    };
  }

  /** At the end of the process' present turn. */
  soon(process: SimProcess, call: () => void): void {
    this.#soon.push({ process, call });
  }

  /** @param what made only when somebody reads it. */
  note(what: () => string): void {
    if (this.isTraced) this.trace.push(`${this.#now.toFixed(1).padStart(9)}  ${what()}`);
  }

  violate(rule: string, detail: string): void {
    this.note(() => `VIOLATION ${rule}: ${detail}`);
    this.violations.push(new Violation(rule, `${detail} (at ${this.#now.toFixed(1)} ms)`));
  }

  /** Has everything happen up to that time, or to the first violation. */
  async run(untilMs: number): Promise<void> {
    const stopWatching = watchPromises();
    try {
      for (;;) {
        const next = this.#queue.peek();
        if (next === undefined || next.at > untilMs || this.violations.length > 0) break;
        this.#queue.take();
        this.#now = next.at;
        if (next.call === undefined) continue;
        // most events promise nothing, and a turn of the real event loop costs more than they do
        if (this.#happen(next) && hasPromised()) await drained();
        if (this.#soon.length > 0) await this.#finishTurn();
        for (const check of this.checks) check(next.process);
      }
    } finally {
      stopWatching();
    }
    if (this.violations.length === 0) this.#now = Math.max(this.#now, untilMs);
  }

  /** What the caller has just done, and all that follows from it at once. */
  async settle(): Promise<void> {
    await drained();
    await this.#finishTurn();
  }

  /** Whether it happened: it waits while its process stands still. */
  #happen(scheduled: Scheduled): boolean {
    const { process } = scheduled;
    if (process !== undefined && !process.isRunning) {
      // by then it may have been cancelled
      process.missed(() => scheduled.call?.());
      return false;
    }
    this.#steps++;
    hasPromised();
    this.#do(scheduled.call!);
    return true;
  }

  async #finishTurn(): Promise<void> {
    for (let turns = 0; this.#soon.length > 0; turns++) {
      if (turns > mostTurnsAtOnce) throw new Error('the turns of an event do not come to an end');
      const soon = this.#soon;
      this.#soon = [];
      hasPromised();
      for (const { process, call } of soon) {
        if (process.isRunning) this.#do(call);
        else process.missed(call);
        if (hasPromised()) {
          await drained();
          hasPromised();
        }
      }
    }
  }

  #do(call: () => void): void {
    try {
      call();
    } catch (thrown) {
      this.violate('a mechanism has thrown', thrown instanceof Error ? String(thrown.stack) : String(thrown));
    }
  }
}

/** All promises that can go on have gone on. */
function drained(): Promise<void> {
  return new Promise(setImmediate);
}
