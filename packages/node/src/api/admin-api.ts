import type { Holder } from '@pinwheel/holder';
import { type RingTracker, ringAnswer } from '@pinwheel/membership';
import type { MigrationStatus } from '@pinwheel/migration';
import { z } from 'zod';
import type { Exchange } from '../http/exchange.js';
import { readJson } from '../http/json-body.js';
import { planChange } from './plan-change.js';

export interface AdminApiOptions {
  readonly holder: Holder;
  readonly tracker: RingTracker;
  /** Begins the drain; does not wait for it. */
  readonly drain: () => void;
}

const maxBodyBytes = 1_048_576;
const pace = 'a whole number between 1 and 1000000';
const aBoolean = 'true or false';
const migrationChange = z.strictObject({
  paused: z.boolean(aBoolean).exactOptional(),
  usersPerSecond: z.int(pace).min(1, pace).max(1_000_000, pace).exactOptional(),
});
/** What operators ask of a node. */
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
    const { tracker, holder } = this.#options;
    const { before, after } = planChange(tracker.current.ring, exchange.query);
    const ownerBefore = holder.ownership.ownersBy(before);
    const ownerAfter = holder.ownership.ownersBy(after);
    let moving = 0;
    let homeless = 0;
    const to: Record<string, number> = Object.create(null);
    for (const { hash } of holder.users.users()) {
      const owner = ownerAfter(hash);
      if (owner === ownerBefore(hash)) continue;
      moving++;
      if (owner === undefined) homeless++;
      else to[owner] = (to[owner] ?? 0) + 1;
    }
    const { fingerprint } = before;
    exchange.json(200, { fingerprint, users: holder.users.userCount, moving, to, homeless });
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
    this.#options.holder.moves.change({
      ...(paused === undefined ? {} : { paused }),
      ...(usersPerSecond === undefined ? {} : { usersPerSecond }),
    });
    this.migrations(exchange);
  }

  drain(exchange: Exchange): void {
    this.#options.drain();
    exchange.json(202, this.#migrations());
  }

  #migrations(): MigrationStatus & { readonly users: number; readonly sessions: number } {
    const { users, moves } = this.#options.holder;
    return { ...moves.status, users: users.userCount, sessions: users.sessionCount };
  }
}
