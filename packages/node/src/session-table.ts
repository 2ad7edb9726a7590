import type { Session } from './session.js';

/** A user whom this node holds: at least one session. */
export class HeldUser {
  readonly user: string;
  /** The user's point, kept so that a ring change costs no hashing. */
  readonly hash: number;
  readonly sessions: Session[] = [];
  /** Places in the batch that is being delivered; empty in between. */
  readonly picked: number[] = [];

  constructor(user: string, hash: number) {
    this.user = user;
    this.hash = hash;
  }
}

/** All sessions of this node, by user. */
export class SessionTable {
  readonly #users = new Map<string, HeldUser>();
  #sessions = 0;

  get userCount(): number {
    return this.#users.size;
  }

  get sessionCount(): number {
    return this.#sessions;
  }

  get(user: string): HeldUser | undefined {
    return this.#users.get(user);
  }

  users(): Iterable<HeldUser> {
    return this.#users.values();
  }

  /** @param hash the user's point on the ring. */
  add(session: Session, hash: number): HeldUser {
    let held = this.#users.get(session.user);
    if (held === undefined) {
      held = new HeldUser(session.user, hash);
      this.#users.set(session.user, held);
    }
    held.sessions.push(session);
    this.#sessions++;
    return held;
  }

  /** Whether that was the user's last session. */
  remove(session: Session): boolean {
    const held = this.#users.get(session.user);
    const at = held?.sessions.indexOf(session) ?? -1;
    if (held === undefined || at === -1) return false;
    held.sessions.splice(at, 1);
    this.#sessions--;
    if (held.sessions.length > 0) return false;
    this.#users.delete(session.user);
    return true;
  }
}
