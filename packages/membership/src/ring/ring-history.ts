import type { Ring } from '@pinwheel/ring';

/** The rings of the transition window, newest first. A ring that nobody was in owned nothing and is left out. */
export class RingHistory {
  readonly #windowMs: number;
  readonly #most: number;
  #rings: readonly { readonly ring: Ring; readonly replacedAt: number }[] = [];

  constructor(windowMs: number, most: number) {
    this.#windowMs = windowMs;
    this.#most = most;
  }

  replaced(ring: Ring, now: number): void {
    if (ring.members.length === 0) return;
    const others = this.#rings.filter((entry) => entry.ring.fingerprint !== ring.fingerprint);
    this.#rings = [{ ring, replacedAt: now }, ...others].slice(0, this.#most);
  }

  /** Those still in the window, without the ring that is in use again. */
  previous(current: Ring, now: number): readonly Ring[] {
    this.#rings = this.#rings.filter(({ replacedAt }) => now < replacedAt + this.#windowMs);
    return this.#rings.map(({ ring }) => ring).filter((ring) => ring.fingerprint !== current.fingerprint);
  }

  /** When the oldest leaves the window; `undefined` when there is none. */
  get expiresAt(): number | undefined {
    const oldest = this.#rings.at(-1);
    return oldest === undefined ? undefined : oldest.replacedAt + this.#windowMs;
  }
}
