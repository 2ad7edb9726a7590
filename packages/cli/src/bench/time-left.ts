import type { Progress } from '@pinwheel/bench';

/**
 * How long a comparison will go on. Services of few nodes are measured sooner than those of many: what is to come is known once a
 * round of all of them is over. Whoever waits is never told of a later end than before.
 */
export class TimeLeft {
  #round = 1;
  #endMs: number | undefined;

  /**
   * @param elapsedMs since the start.
   * @returns ms, or `undefined` while nobody knows: before the end of the first round, and once that time has passed.
   */
  at(
    { step, steps, round }: Pick<Progress, 'step' | 'steps' | 'round'>,
    elapsedMs: number,
  ): number | undefined {
    if (round !== this.#round) {
      this.#round = round;
      const endMs = (elapsedMs / (step - 1)) * steps;
      this.#endMs = Math.min(endMs, this.#endMs ?? endMs);
    }
    if (this.#endMs === undefined || this.#endMs <= elapsedMs) return undefined;
    return this.#endMs - elapsedMs;
  }
}
