/**
 * Whether the ring must not follow the newest view without proof. A view that lost more than the part `freezeAbove` of
 * the ring's members is more likely a fault of the source than of the members. Once it is so, only the source can show
 * that it can be believed, by listing enough of them again: whoever dies or joins meanwhile says nothing about it.
 */
export class Freeze {
  readonly #freezeAbove: number;
  #reason: string | undefined;
  /** Members of the ring when it was frozen. */
  #size = 0;
  /** Of those, the ones that were proven gone since, and have not been listed again. */
  readonly #gone = new Set<string>();

  constructor(freezeAbove: number) {
    this.#freezeAbove = freezeAbove;
  }

  /** In words; `undefined` when the ring follows. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** A missing member was proven gone. */
  tookOut(id: string): void {
    if (this.#reason !== undefined) this.#gone.add(id);
  }

  listed(id: string): void {
    this.#gone.delete(id);
  }

  /**
   * @param missing members of the ring that are not listed.
   * @param present those that are.
   * @param listed all that are listed, be they in the ring or not.
   * @returns whether the ring follows again.
   */
  look(missing: number, present: number, listed: number): boolean {
    const wasFrozen = this.#reason !== undefined;
    if (!wasFrozen) {
      this.#size = missing + present;
      this.#gone.clear();
    }
    this.#reason = massLoss(missing, this.#gone.size, this.#size, listed, this.#freezeAbove);
    return wasFrozen && this.#reason === undefined;
  }
}

/**
 * Why a view is not to be believed; `undefined` when it is.
 *
 * @param missing of a ring of `size` members, beside those that are known to be gone.
 */
export function massLoss(
  missing: number,
  gone: number,
  size: number,
  listed: number,
  freezeAbove: number,
): string | undefined {
  if (missing === 0) return undefined;
  if (listed === 0) return `the source lists nobody; the ring keeps its ${missing} members`;
  if (missing + gone <= freezeAbove * size) return undefined;
  const those = gone === 0 ? '' : `, of whom ${gone} were found to be gone`;
  return `${missing + gone} of ${size} members vanished from the source${those}; the ring keeps ${gone === 0 ? 'them' : `the other ${missing}`}`;
}
