/** A number of places, which are given to whoever asks for one, first come, first served. */
export class Places {
  readonly #waiting = new Set<() => void>();
  #free: number;

  constructor(count: number) {
    this.#free = count;
  }

  /** Whether somebody waits for a place. */
  get isCrowded(): boolean {
    return this.#waiting.size > 0;
  }

  /** Resolves when there is a place; whoever took it gives it back. */
  async take(): Promise<void> {
    if (this.#free > 0) {
      this.#free--;
      return;
    }
    await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  give(): void {
    for (const next of this.#waiting) {
      this.#waiting.delete(next);
      next();
      return;
    }
    this.#free++;
  }
}
