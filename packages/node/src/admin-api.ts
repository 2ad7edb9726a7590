import { type RingTracker, ringAnswer } from '@pinwheel/membership';
import type { MigrationStatus } from '@pinwheel/migration';
import { z } from 'zod';
import { type ClaimAnswer, maxClaimedUsers } from './claims.js';
import type { Exchange } from './exchange.js';
import { readJson } from './json-body.js';
import type { Moves } from './moves.js';
import type { NodeCounters } from './node-counters.js';
import { planChange } from './plan-change.js';
import type { SessionTable } from './session-table.js';

export interface AdminApiOptions {
  readonly table: SessionTable;
  readonly tracker: RingTracker;
  readonly moves: Moves;
  readonly counters: NodeCounters;
  /** Begins the drain; does not wait for it. */
  readonly drain: () => void;
}

const maxBodyBytes = 1_048_576;
const pace = 'a whole number between 1 and 1000000';
const aBoolean = 'true or false';
const claimable = `a list of at most ${maxClaimedUsers} users`;
const migrationChange = z.strictObject({
  paused: z.boolean(aBoolean).exactOptional(),
  usersPerSecond: z.int(pace).min(1, pace).max(1_000_000, pace).exactOptional(),
});
const claim = z.strictObject({
  users: z.array(z.string('a text'), claimable).max(maxClaimedUsers, claimable),
});

/** What operators ask of a node, and what nodes ask of one another about moves. */
export class AdminApi {
  readonly #options: AdminApiOptions;

  constructor(options: AdminApiOptions) {
    this.#options = options;
  }

  ring(exchange: Exchange): void {
    exchange.json(200, ringAnswer(this.#options.tracker.current));
  }

  /** `GET /v1/ring/plan?add=n4:1&remove=n2`: what a change would move, counted in this node's users. */
  plan(exchange: Exchange): void {
    const { tracker, table } = this.#options;
    const { before, after } = planChange(tracker.current.ring, exchange.query);
    let moving = 0;
    let homeless = 0;
    const to: Record<string, number> = Object.create(null);
    for (const { hash } of table.users()) {
      const owner = after.ownerOfHash(hash);
      if (owner === before.ownerOfHash(hash)) continue;
      moving++;
      if (owner === undefined) homeless++;
      else to[owner] = (to[owner] ?? 0) + 1;
    }
    const { fingerprint } = before;
    exchange.json(200, { fingerprint, users: table.userCount, moving, to, homeless });
  }

  accept(exchange: Exchange): void {
    this.#options.tracker.accept();
    this.ring(exchange);
  }

  migrations(exchange: Exchange): void {
    exchange.json(200, this.#migrations());
  }

  async changeMigrations(exchange: Exchange): Promise<void> {
    const { paused, usersPerSecond } = await readJson(exchange, migrationChange, maxBodyBytes);
    this.#options.moves.change({
      ...(paused === undefined ? {} : { paused }),
      ...(usersPerSecond === undefined ? {} : { usersPerSecond }),
    });
    this.migrations(exchange);
  }

  /** The new owner of some users asks for them now. */
  async claims(exchange: Exchange): Promise<void> {
    this.#options.counters.requests.claim++;
    const { users } = await readJson(exchange, claim, maxBodyBytes);
    const { moves, tracker } = this.#options;
    const moved = moves.claimed(users);
    const { fingerprint } = tracker.current.ring;
    const answer: ClaimAnswer = { moved, fingerprint, foreignUsers: moves.status.waiting };
    exchange.json(200, answer);
  }

  drain(exchange: Exchange): void {
    this.#options.drain();
    exchange.json(202, this.#migrations());
  }

  #migrations(): MigrationStatus & { readonly users: number; readonly sessions: number } {
    const { table, moves } = this.#options;
    return { ...moves.status, users: table.userCount, sessions: table.sessionCount };
  }
}
