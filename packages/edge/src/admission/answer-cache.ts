/** Answers that are good for a while; the oldest one goes when there are too many. */
export class AnswerCache<T> {
  readonly #answers = new Map<string, { readonly answer: T; readonly until: number }>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  get(key: string, now: number): T | undefined {
    const kept = this.#answers.get(key);
    if (kept === undefined || kept.until > now) return kept?.answer;
    this.#answers.delete(key);
    return undefined;
  }

  set(key: string, answer: T, until: number): void {
    this.#answers.delete(key);
    if (this.#answers.size >= this.#most) {
      for (const oldest of this.#answers.keys()) {
        this.#answers.delete(oldest);
        break;
      }
    }
    this.#answers.set(key, { answer, until });
  }
}
