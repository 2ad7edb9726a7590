import type { Clock } from '@pinwheel/membership';
import type { World } from './world.js';

/** A process of the simulation: it runs, stands still while the world goes on, or is gone. */
export class SimProcess {
  readonly id: string;
  readonly incarnation: string;
  readonly world: World;
  readonly clock: Clock;
  #state: 'running' | 'paused' | 'dead' = 'running';
  #missed: (() => void)[] = [];
  readonly #deaths: (() => void)[] = [];

  constructor(world: World, id: string, incarnation: string) {
    this.world = world;
    this.id = id;
    this.incarnation = incarnation;
    // every process counts from another moment: a time that crosses over by mistake is nonsense at once
    const start = world.whole(1_000, 10_000_000);
    this.clock = {
      now: () => start + world.now,
      after: (delayMs, call) => world.after(delayMs, this, call),
    };
  }

  get isRunning(): boolean {
    return this.#state === 'running';
  }

  get isPaused(): boolean {
    return this.#state === 'paused';
  }

  get isDead(): boolean {
    return this.#state === 'dead';
  }

  readonly random = (): number => this.world.random();

  readonly soon = (call: () => void): void => this.world.soon(this, call);

  /** Something was to happen while it stood still; for a dead one it never does. */
  missed(call: () => void): void {
    if (this.#state === 'paused') this.#missed.push(call);
  }

  /** It stands still: its time goes on, and what comes for it waits. */
  pause(): void {
    if (this.#state === 'running') this.#state = 'paused';
  }

  wake(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    const missed = this.#missed;
    this.#missed = [];
    for (const call of missed) this.world.after(0, this, call);
  }

  /** Nothing of it happens any more. */
  die(): void {
    if (this.#state === 'dead') return;
    this.#state = 'dead';
    this.#missed = [];
    for (const call of this.#deaths) call();
  }

  onDeath(call: () => void): void {
    this.#deaths.push(call);
  }
}
