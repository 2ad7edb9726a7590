/** Lets so many calls be under way at a time; the others wait in the order in which they came. */
export class CallSlots {
  readonly #waiting = new Set<(isMine: boolean) => void>();
  #free: number;

  constructor(count: number) {
    this.#free = count;
  }

  /** Whether there is a slot before the signal comes; who gets one gives it back. */
  take(signal: AbortSignal): Promise<boolean> {
    if (this.#free > 0) {
      this.#free--;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const settle = (isMine: boolean): void => {
        this.#waiting.delete(settle);
        resolve(isMine);
      };
      this.#waiting.add(settle);
      signal.addEventListener('abort', () => settle(false), { once: true });
    });
  }

  giveBack(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#free++;
    else next(true);
  }

  /** Whoever waits gets none. */
  close(): void {
    for (const settle of this.#waiting) settle(false);
  }
}
