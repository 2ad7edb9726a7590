import { type RingTracker, ringAnswer } from '@pinwheel/membership';
import type { MigrationStatus } from '@pinwheel/migration';
import { PinwheelError, queryText } from '@pinwheel/protocol';
import { parseRingMember, plan } from '@pinwheel/ring';
import { z } from 'zod';
import { maxClaimedUsers } from './claims.js';
import type { Exchange } from './exchange.js';
import { readJson } from './json-body.js';
import type { Moves } from './moves.js';
import type { NodeCounters } from './node-counters.js';
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
const migrationChange = z.strictObject({
  paused: z.boolean().exactOptional(),
  usersPerSecond: z.number().min(1).max(1_000_000).exactOptional(),
});
const claim = z.strictObject({ users: z.array(z.string()).max(maxClaimedUsers) });

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
    const change = {
      add: readIds(exchange.query, 'add').map(parseRingMember),
      remove: readIds(exchange.query, 'remove'),
    };
    const { before, after } = planOrRefuse(() => plan(tracker.current.ring, change));
    let moving = 0;
    const to: Record<string, number> = Object.create(null);
    for (const { hash } of table.users()) {
      const owner = after.ownerOfHash(hash);
      if (owner === undefined || owner === before.ownerOfHash(hash)) continue;
      moving++;
      to[owner] = (to[owner] ?? 0) + 1;
    }
    exchange.json(200, { fingerprint: before.fingerprint, users: table.userCount, moving, to });
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
    exchange.json(200, { moved: this.#options.moves.claimed(users) });
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

function readIds(query: string, name: string): readonly string[] {
  const text = queryText(query, name);
  return text === undefined || text === '' ? [] : text.split(',');
}

function planOrRefuse<T>(make: () => T): T {
  try {
    return make();
  } catch (thrown) {
    if (thrown instanceof RangeError)
      throw new PinwheelError('bad-request', thrown.message, { cause: thrown });
    throw thrown;
  }
}
