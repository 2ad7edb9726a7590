export interface FlapOptions {
  /** Departures further apart than this are not flapping; one step of the wait is forgiven per window. In ms. */
  readonly windowMs: number;
  /** Wait before a member counts again after its second departure inside the window, in ms; doubles from there. */
  readonly firstWaitMs: number;
  /** No wait is longer, in ms. */
  readonly longestWaitMs: number;
}

/** Members are remembered until their steps are forgiven; beyond this many the oldest is forgotten first. */
const maxRemembered = 4096;

/**
 * How long a member that keeps dying and coming back waits before it counts again. Only departures without a
 * word are counted: a member that drains is welcome back at once.
 */
export class FlapDamping {
  readonly #options: FlapOptions;
  readonly #departures = new Map<string, { readonly steps: number; readonly at: number }>();
  readonly #maxSteps: number;

  constructor(options: FlapOptions) {
    this.#options = options;
    // more steps than the longest wait needs would only make forgiveness slower
    this.#maxSteps = 2 + Math.max(0, Math.ceil(Math.log2(options.longestWaitMs / options.firstWaitMs)));
  }

  departed(id: string, now: number): void {
    const steps = Math.min(this.#maxSteps, this.#stepsOf(id, now) + 1);
    this.#departures.delete(id);
    this.#departures.set(id, { steps, at: now });
    if (this.#departures.size > maxRemembered) this.#departures.delete(this.#departures.keys().next().value!);
  }

  /** 0 for a member that did not flap. */
  waitMs(id: string, now: number): number {
    const steps = this.#stepsOf(id, now);
    if (steps < 2) return 0;
    return Math.min(this.#options.longestWaitMs, this.#options.firstWaitMs * 2 ** (steps - 2));
  }

  forgive(id: string): void {
    this.#departures.delete(id);
  }

  #stepsOf(id: string, now: number): number {
    const last = this.#departures.get(id);
    if (last === undefined) return 0;
    const steps = last.steps - Math.floor((now - last.at) / this.#options.windowMs);
    if (steps > 0) return steps;
    this.#departures.delete(id);
    return 0;
  }
}
