import type { EdgeSession } from './edge-session.js';

/** Memory of all of them together, in bytes, and of each beside its messages, about. */
const maxBytes = 67_108_864;
const sessionBytes = 1024;

interface Parting {
  readonly since: number;
  readonly bytes: number;
}

/** Sessions whose client has ended them, and whose node has yet to take what it sent; the eldest first. */
export class PartingSessions {
  readonly #sessions = new Map<EdgeSession, Parting>();
  readonly #now: () => number;
  #bytes = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** @param keptBytes what its client has sent. @returns whether there is room. */
  add(session: EdgeSession, keptBytes: number): boolean {
    const bytes = sessionBytes + keptBytes;
    if (this.#bytes + bytes > maxBytes) return false;
    this.#sessions.set(session, { since: this.#now(), bytes });
    this.#bytes += bytes;
    return true;
  }

  delete(session: EdgeSession): void {
    const parting = this.#sessions.get(session);
    if (parting === undefined) return;
    this.#sessions.delete(session);
    this.#bytes -= parting.bytes;
  }

  /** Those that have been here since before. */
  *overdue(before: number): Iterable<EdgeSession> {
    for (const [session, { since }] of this.#sessions) {
      if (since > before) return;
      yield session;
    }
  }
}
