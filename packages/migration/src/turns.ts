/** There are so many turns. */
const turns = 256;
/** Nobody has a later one. */
export const lastTurn = turns - 1;

/** Users in the order of their turns, and among those of one turn in which they came. Each has one place at a time. */
export class Turns {
  readonly #turnOf = new Map<string, number>();
  readonly #users: Set<string>[] = Array.from({ length: turns }, () => new Set());
  /** Nobody has an earlier one. */
  #earliest = 0;

  get size(): number {
    return this.#turnOf.size;
  }

  /** The turn of whoever is first; `undefined` when nobody is there. */
  get first(): number | undefined {
    if (this.#turnOf.size === 0) return undefined;
    while (this.#users[this.#earliest]!.size === 0) this.#earliest++;
    return this.#earliest;
  }

  has(user: string): boolean {
    return this.#turnOf.has(user);
  }

  /** Known users keep their place. */
  add(user: string, turn: number): void {
    if (this.#turnOf.has(user)) return;
    this.#turnOf.set(user, turn);
    this.#users[turn]!.add(user);
    this.#earliest = Math.min(this.#earliest, turn);
  }

  /** Whether the user was there. */
  delete(user: string): boolean {
    const turn = this.#turnOf.get(user);
    if (turn === undefined) return false;
    this.#turnOf.delete(user);
    return this.#users[turn]!.delete(user);
  }

  /** Takes out whoever is first. */
  take(): string | undefined {
    const { first } = this;
    if (first === undefined) return undefined;
    const [user] = this.#users[first]!;
    this.delete(user!);
    return user;
  }

  clear(): void {
    this.#turnOf.clear();
    for (const users of this.#users) users.clear();
  }
}
