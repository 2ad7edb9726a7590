import { Buffer } from 'node:buffer';
import { type Holder, maxCallUsers, type UserState } from '@pinwheel/holder';
import { maxUserBytes } from '@pinwheel/protocol';
import { z } from 'zod';
import type { Exchange } from './exchange.js';
import { readJson } from './json-body.js';
import type { NodeCounters } from './node-counters.js';

export interface PeersApiOptions {
  readonly holder: Holder;
  readonly counters: NodeCounters;
}

const maxBodyBytes = 33_554_432;
const text = z.string('a text').max(1024);
const aUser = 'a user of 1 to 256 bytes';
const user = z.string(aUser).refine((id) => id !== '' && Buffer.byteLength(id) <= maxUserBytes, aUser);
const whole = z.int('a whole number').min(0);
const position = z.object({ stream: text, seq: whole });
const state = z.object({
  stream: text,
  next: whole,
  kept: z.array(
    z.object({
      seq: whole,
      id: text,
      binary: z.boolean(),
      base64: z.string(),
      origins: z.array(position).max(16),
    }),
  ),
  seen: z.array(z.object({ id: text, sessions: whole })).max(1024),
  sessions: z.array(
    z.object({
      key: text,
      edge: text,
      since: z.number(),
      acknowledges: z.boolean(),
      epoch: whole,
      acked: whole,
      begins: whole,
      gapAt: whole.nullable(),
      taken: whole,
      announced: z.boolean(),
      covers: z.array(position).max(16),
      former: z.array(position).max(16),
      isComing: z.boolean(),
    }),
  ),
  absorbed: z.array(z.object({ stream: text, from: whole, at: whole })).max(16),
  isPartial: z.boolean(),
  contested: z.array(text).max(1024),
});
const atMost = `a list of at most ${maxCallUsers}`;
const handoffOf = { user, handoff: text };
const claims = z.object({
  from: text,
  incarnation: text,
  users: z.array(user, atMost).max(maxCallUsers, atMost),
});
const handoffs = z.object({
  from: text,
  incarnation: text,
  users: z.array(z.object({ ...handoffOf, state }), atMost).max(maxCallUsers, atMost),
});
const commits = z.object({
  from: text,
  users: z.array(z.object(handoffOf), atMost).max(maxCallUsers, atMost),
});

/** What nodes ask of one another about users who move. */
export class PeersApi {
  readonly #options: PeersApiOptions;

  constructor(options: PeersApiOptions) {
    this.#options = options;
  }

  async claims(exchange: Exchange): Promise<void> {
    this.#options.counters.requests.peer++;
    const request = await readJson(exchange, claims, maxBodyBytes);
    exchange.json(200, await this.#options.holder.claim(request));
  }

  async handoffs(exchange: Exchange): Promise<void> {
    this.#options.counters.requests.peer++;
    const { from, incarnation, users } = await readJson(exchange, handoffs, maxBodyBytes);
    const checked = users.map(({ user, handoff, state: one }) => ({
      user,
      handoff,
      state: one satisfies UserState,
    }));
    exchange.json(200, this.#options.holder.prepare({ from, incarnation, users: checked }));
  }

  async commits(exchange: Exchange): Promise<void> {
    this.#options.counters.requests.peer++;
    const request = await readJson(exchange, commits, maxBodyBytes);
    exchange.json(200, this.#options.holder.commit(request));
  }
}
