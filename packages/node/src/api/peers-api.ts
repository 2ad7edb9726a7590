import { Buffer } from 'node:buffer';
import { type Holder, maxCallUsers, type UserState } from '@pinwheel/holder';
import { maxUserBytes } from '@pinwheel/protocol';
import { z } from 'zod';
import type { NodeCounters } from '../counters/node-counters.js';
import type { Exchange } from '../http/exchange.js';
import { readJson } from '../http/json-body.js';
import { isUserState } from './is-user-state.js';

export interface PeersApiOptions {
  readonly holder: Holder;
  readonly counters: NodeCounters;
}

const maxBodyBytes = 33_554_432;
const text = z.string('a text').max(1024);
const aUser = 'a user of 1 to 256 bytes';
const user = z.string(aUser).refine((id) => id !== '' && Buffer.byteLength(id) <= maxUserBytes, aUser);
const state = z.custom<UserState>(isUserState, 'the state of a user');
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
  ends: text.optional(),
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
    const request = await readJson(exchange, handoffs, maxBodyBytes);
    exchange.json(200, this.#options.holder.prepare(request));
  }

  async commits(exchange: Exchange): Promise<void> {
    this.#options.counters.requests.peer++;
    const request = await readJson(exchange, commits, maxBodyBytes);
    exchange.json(200, this.#options.holder.commit(request));
  }
}
