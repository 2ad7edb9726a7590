import type { HeldUser } from '../users/held-user.js';
import type { Users } from '../users/users.js';
import type { Claims } from './claims.js';
import type { Contested } from './contested.js';
import type { Copies } from './copies.js';
import type { Handoffs } from './handoffs.js';
import type { Ownership } from './ownership.js';
import { holdersToAsk, sentOnTo } from './sent-on.js';

export interface AttachingOptions {
  readonly users: Users;
  readonly ownership: Ownership;
  readonly copies: Copies;
  readonly claims: Claims;
  readonly contested: Contested;
  readonly handoffs: Handoffs;
}

/** Where a session of a user is to be attached. */
export type AttachPlace =
  | { readonly kind: 'here'; readonly held: HeldUser }
  | { readonly kind: 'elsewhere'; readonly member: string }
  /** The ring has no owner for the user. */
  | { readonly kind: 'nowhere' };

/** What is found out changes what is known; after so many rounds the rings are too much in motion. */
const maxRounds = 8;
const nowhere: AttachPlace = { kind: 'nowhere' };

/**
 * Finds where a session belongs: with whoever holds the user, or with the owner, who claims the user from whoever may
 * hold it. An attach is never forwarded: its edge is told to go there, because it takes frames only from where the
 * session is pinned.
 */
export class Attaching {
  readonly #options: AttachingOptions;
  readonly #settling = new Map<string, Promise<void>>();

  constructor(options: AttachingOptions) {
    this.#options = options;
  }

  /** @param handoff what the releasing holder gave the session to bring along, or empty. */
  place(user: string, handoff: string): AttachPlace | Promise<AttachPlace> {
    const { users, copies } = this.#options;
    if (handoff !== '') copies.commitOne(user, handoff);
    const known = users.known(user);
    if (known?.kind === 'held' && !known.isFrozen) return { kind: 'here', held: known };
    if (known === undefined) {
      const where = this.#options.ownership.whereabouts(user);
      if (where.kind === 'theirs') return { kind: 'elsewhere', member: where.owner.id };
      if (where.kind === 'nobody') return nowhere;
      if (where.before.length === 0) return { kind: 'here', held: this.#create(user) };
    }
    return this.#find(user);
  }

  /** A copy has been here for long: its source is asked what became of it. */
  settleCopy(user: string): Promise<void> {
    const known = this.#settling.get(user);
    if (known !== undefined) return known;
    const settling = this.#settleCopy(user).finally(() => this.#settling.delete(user));
    this.#settling.set(user, settling);
    return settling;
  }

  async #settleCopy(user: string): Promise<void> {
    const { users, copies, claims, ownership } = this.#options;
    const known = users.known(user);
    if (known?.kind === 'prepared') await this.#settle(user);
    if (known?.kind !== 'held' || known.incoming === undefined) return;
    const source = ownership.state.members.get(known.incoming.from);
    // one that had left before its copy came says nothing any more: the copy is all that there is of what it had
    if (source === undefined) copies.promote(user);
    else await claims.claimAnew(user, source);
  }

  async #find(user: string): Promise<AttachPlace> {
    const { users } = this.#options;
    for (let round = 0; round < maxRounds; round++) {
      const known = users.known(user);
      if (known?.kind === 'held') {
        if (!known.isFrozen) return { kind: 'here', held: known };
        await new Promise<void>((look) => known.whenThawed(look));
        continue;
      }
      const found = await (known?.kind === 'prepared' ? this.#settle(user) : this.#claim(user));
      if (found !== undefined) return found;
    }
    return nowhere;
  }

  /** Has the source of a copy say what became of it. `undefined`: look again. */
  async #settle(user: string): Promise<AttachPlace | undefined> {
    const { users, copies, claims, contested, ownership } = this.#options;
    const known = users.known(user);
    if (known?.kind !== 'prepared') return undefined;
    const source = ownership.state.members.get(known.copy.from);
    const outcome = source === undefined ? undefined : await claims.claim(user, [source]);
    // even when a newer copy has come meanwhile: whoever has the user attaches the session, and sends it on
    if (outcome?.kind === 'held') return { kind: 'elsewhere', member: outcome.by };
    if (users.known(user) !== known) return undefined;
    const held = copies.promote(user);
    if (held !== undefined && outcome?.kind === 'unknown') contested.add(held, outcome.silent);
    return undefined;
  }

  async #claim(user: string): Promise<AttachPlace | undefined> {
    const { users, ownership, claims, contested, handoffs } = this.#options;
    const known = users.known(user);
    const { ring, members } = ownership.state;
    const where = ownership.whereabouts(user);
    const to = sentOnTo(known, members);
    if (where.kind === 'nobody') return nowhere;
    if (where.kind === 'theirs') return { kind: 'elsewhere', member: (to ?? where.owner).id };
    const asked = holdersToAsk(to, where.before);
    const outcome = await claims.claim(user, asked);
    if (outcome.kind === 'held') return { kind: 'elsewhere', member: outcome.by };
    // the ring may have changed, by which others are to be asked, or the user have come meanwhile
    const isNews = users.known(user) !== known || ownership.state.ring !== ring;
    if (outcome.kind === 'here' || isNews) return undefined;
    // what was handed over and not acknowledged is all that there is of the user
    const taken = known?.kind === 'released' ? handoffs.takeBack(known) : undefined;
    const held = taken ?? this.#create(user);
    if (outcome.kind === 'unknown') contested.add(held, outcome.silent);
    return { kind: 'here', held };
  }

  #create(user: string): HeldUser {
    const { users, ownership } = this.#options;
    return users.hold(user, ownership.state.ring.hashOf(user));
  }
}
