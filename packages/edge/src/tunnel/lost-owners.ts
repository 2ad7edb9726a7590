import type { Member, RingState } from '@pinwheel/membership';
import { Migration } from '@pinwheel/migration';

/** What is needed of a tunnel. */
export interface Held {
  readonly user: string;
  readonly member: Member;
  readonly isOpen: boolean;
}

export interface LostOwnersOptions<T extends Held> {
  /** Those to be looked after, as they are at any time. */
  readonly tunnels: () => Iterable<T>;
  /** A member that is back within this time was never lost. */
  readonly graceMs: number;
  readonly usersPerSecond: number;
  /** A clock that does not go backwards, in ms. */
  readonly now: () => number;
  /** Calls once, later; returns the call that cancels it. */
  readonly after: (delayMs: number, call: () => void) => () => void;
  /** Tells a tunnel's client to reconnect. */
  readonly close: (tunnel: T) => void;
}

interface Missing {
  readonly member: Member;
  /** Ends its grace. */
  readonly cancel: () => void;
}

/**
 * Finds the tunnels whose node has left the members without closing them, because it hangs, is cut off or was replaced, and
 * has them closed, users at a pace of its own: a pause of the moves is no reason to leave clients with nobody. Knows no
 * socket and no clock.
 */
export class LostOwners<T extends Held> {
  readonly #options: LostOwnersOptions<T>;
  readonly #migration: Migration;
  /** What is missing, by its place: each view has new objects for the same members. */
  readonly #missing = new Map<string, Missing>();
  /** Tunnels whose grace is over, by user. */
  readonly #due = new Map<string, Set<T>>();
  #current: RingState;

  constructor(current: RingState, options: LostOwnersOptions<T>) {
    const { usersPerSecond, now, after } = options;
    this.#options = options;
    this.#current = current;
    this.#migration = new Migration({ usersPerSecond, now, after, go: (user) => this.#go(user) });
  }

  /** Users who wait for their turn. */
  get waiting(): number {
    return this.#due.size;
  }

  /** A tunnel is there. Its member may have gone during the handshake. */
  add({ member }: T): void {
    if (!this.#isThere(member)) this.#miss(member);
  }

  /** It is gone. */
  remove(tunnel: T): void {
    const due = this.#due.get(tunnel.user);
    if (due?.delete(tunnel) !== true || due.size > 0) return;
    this.#due.delete(tunnel.user);
    this.#migration.delete(tunnel.user);
  }

  ringChanged(current: RingState): void {
    this.#current = current;
    for (const [place, { member, cancel }] of this.#missing) {
      if (!this.#isThere(member)) continue;
      cancel();
      this.#missing.delete(place);
    }
    for (const due of [...this.#due.values()]) {
      for (const tunnel of due) if (this.#isThere(tunnel.member)) this.remove(tunnel);
    }
    const members = new Set<Member>();
    for (const { member } of this.#options.tunnels()) members.add(member);
    for (const member of members) if (!this.#isThere(member)) this.#miss(member);
  }

  setPace(usersPerSecond: number): void {
    this.#migration.change({ usersPerSecond });
  }

  /** Closes nobody any more. */
  stop(): void {
    for (const { cancel } of this.#missing.values()) cancel();
    this.#missing.clear();
    this.#due.clear();
    this.#migration.stop();
  }

  #isThere(member: Member): boolean {
    const now = this.#current.members.get(member.id);
    if (now === member) return true;
    return (
      now !== undefined &&
      now.address === member.address &&
      now.wsPort === member.wsPort &&
      (now.incarnation === undefined ||
        member.incarnation === undefined ||
        now.incarnation === member.incarnation)
    );
  }

  #miss(member: Member): void {
    const place = placeOf(member);
    if (this.#missing.has(place)) return;
    const { after, graceMs } = this.#options;
    const cancel = after(graceMs, () => {
      this.#missing.delete(place);
      this.#lose(member);
    });
    this.#missing.set(place, { member, cancel });
  }

  #lose(lost: Member): void {
    for (const tunnel of this.#options.tunnels()) {
      if (!tunnel.isOpen || !isSame(tunnel.member, lost)) continue;
      const due = this.#due.get(tunnel.user);
      if (due === undefined) this.#due.set(tunnel.user, new Set([tunnel]));
      else due.add(tunnel);
      this.#migration.add(tunnel.user);
    }
  }

  #go(user: string): void {
    const due = this.#due.get(user);
    this.#due.delete(user);
    for (const tunnel of due ?? []) this.#options.close(tunnel);
  }
}

function placeOf({ id, address, wsPort, incarnation }: Member): string {
  return `${id} ${address} ${wsPort} ${incarnation}`;
}

function isSame(one: Member, other: Member): boolean {
  return one === other || (one.id === other.id && placeOf(one) === placeOf(other));
}
