/** What a link's silence asks for. */
export type SilenceVerdict = 'fine' | 'ping' | 'dead';

/** The part of the keep-alive time that a member has to answer in that is not among the members any more. */
const goneShare = 1 / 6;

/** When a link was last heard of, and what follows from its silence. Times are of any clock, in ms. */
export class Silence {
  readonly #keepAliveMs: number;
  #heardAt = 0;
  #pingedAt = 0;
  /** When its member was found to be gone. It may hang: it has to answer sooner than the others. */
  #goneAt: number | undefined;

  constructor(keepAliveMs: number) {
    this.#keepAliveMs = keepAliveMs;
  }

  heard(now: number): void {
    this.#heardAt = now;
  }

  pinged(now: number): void {
    this.#pingedAt = now;
  }

  /** Its member is gone. Whether that is new. */
  memberGone(now: number): boolean {
    const isNew = this.#goneAt === undefined;
    this.#goneAt ??= now;
    return isNew;
  }

  memberBack(): void {
    this.#goneAt = undefined;
  }

  /** The process that listens stood still: whoever was heard of too long ago has a little longer. */
  excuse(now: number): void {
    this.#heardAt = Math.max(this.#heardAt, now - this.#keepAliveMs / 3);
    if (this.#goneAt !== undefined) this.#goneAt = now;
  }

  judge(now: number): SilenceVerdict {
    const silentMs = this.lengthMs(now);
    const sinceGoneMs = this.#goneAt === undefined ? 0 : now - Math.max(this.#heardAt, this.#goneAt);
    if (silentMs >= this.#keepAliveMs || sinceGoneMs >= this.#keepAliveMs * goneShare) return 'dead';
    const isDue = silentMs >= this.#keepAliveMs / 3 || this.#goneAt !== undefined;
    return isDue && this.#pingedAt <= this.#heardAt ? 'ping' : 'fine';
  }

  lengthMs(now: number): number {
    return now - this.#heardAt;
  }
}
