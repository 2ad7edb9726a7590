import { Migration, type MigrationChange, type MigrationStatus } from '@pinwheel/migration';
import { type CloseCode, closeCodes, closeReasonOf } from '@pinwheel/protocol';
import type { Ownership } from './ownership.js';
import type { HeldUser, SessionTable } from './session-table.js';

export interface MovesOptions {
  readonly table: SessionTable;
  readonly ownership: Ownership;
  readonly usersPerSecond: number;
  readonly now: () => number;
  readonly after: (delayMs: number, call: () => void) => () => void;
  readonly random: () => number;
}

/** Clients that are told to come again, come within this time: the pace spreads them already. */
const retrySpreadMs = 100;
/** Where nobody is there to go to, they come later. */
const retryNobodyMs = 1000;

/**
 * Sends the users on who are held here and belong elsewhere: all sessions of a user at once, at the pace, with
 * "moved, reconnect". Whoever belongs here notices nothing.
 */
export class Moves {
  readonly #options: MovesOptions;
  readonly #migration: Migration;
  #leaving = false;

  constructor(options: MovesOptions) {
    this.#options = options;
    const { usersPerSecond, now, after } = options;
    this.#migration = new Migration({ usersPerSecond, now, after, go: (user) => this.#send(user) });
  }

  get status(): MigrationStatus {
    return this.#migration.status;
  }

  /** Judges everybody anew. */
  ringChanged(): void {
    for (const held of this.#options.table.users()) this.#judge(held);
  }

  attached(held: HeldUser): void {
    this.#judge(held);
  }

  /** The user's last session has ended. */
  gone(user: string): void {
    this.#migration.delete(user);
  }

  /** The node is leaving: everybody goes, even when the ring has nobody else or does not know of it yet. */
  leave(): void {
    this.#leaving = true;
    this.ringChanged();
  }

  /** The new owner asks for these users now. How many of them were on the list. */
  claimed(users: readonly string[]): number {
    let moved = 0;
    for (const user of users) {
      if (!this.#migration.went(user)) continue;
      moved++;
      this.#send(user);
    }
    return moved;
  }

  change(change: MigrationChange): void {
    this.#migration.change(change);
  }

  /** Sends everybody on now, whatever the pace. */
  finish(): void {
    for (const { user } of [...this.#options.table.users()]) {
      this.#migration.went(user);
      this.#send(user);
    }
  }

  stop(): void {
    this.#migration.stop();
  }

  #judge(held: HeldUser): void {
    if (this.#belongsElsewhere(held)) this.#migration.add(held.user);
    else this.#migration.delete(held.user);
  }

  #belongsElsewhere(held: HeldUser): boolean {
    const { ownership } = this.#options;
    if (this.#leaving) return true;
    return !ownership.isMine(held.hash) && ownership.state.ring.members.length > 0;
  }

  #send(user: string): void {
    const { table, ownership, random } = this.#options;
    const held = table.get(user);
    if (held === undefined) return;
    const { ring } = ownership.state;
    const nowhere = ring.members.length === 0 || ownership.isMine(held.hash);
    const spread = nowhere ? retryNobodyMs : retrySpreadMs;
    const moved: CloseCode = closeCodes.moved;
    for (const session of [...held.sessions]) session.close(moved, closeReasonOf(random() * spread));
  }
}
