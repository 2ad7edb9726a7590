import type { Member } from '@pinwheel/membership';
import type { NodeClients } from '@pinwheel/sender';
import type { Ownership } from './ownership.js';

export interface ClaimsOptions {
  readonly ownership: Ownership;
  readonly clients: NodeClients;
  readonly deadlineMs: number;
}

/** What a node says to a claim: how many of the users it has sent on, and what it says of itself. */
export interface ClaimAnswer {
  readonly moved: number;
  readonly fingerprint: string;
  /** Users it still holds that its ring gives to others. */
  readonly foreignUsers: number;
}

/** Users in one claim; more wait for the next. */
export const maxClaimedUsers = 1000;
/** Claims beyond this are left out: the pace brings those users anyway, only later. */
const maxWaiting = 100_000;

/**
 * A user who has come here while an earlier owner still may hold other sessions of it: the earlier owner is asked to
 * send them on now, ahead of the pace, so that the user is not in two places for longer than need be. One claim to a
 * node is under way at a time, the next one fills meanwhile. A claim that fails is not repeated: the pace does it.
 */
export class Claims {
  readonly #options: ClaimsOptions;
  readonly #waiting = new Map<string, Set<string>>();
  readonly #busy = new Set<string>();

  constructor(options: ClaimsOptions) {
    this.#options = options;
  }

  /** A session of this user has begun here. */
  attached(user: string): void {
    const where = this.#options.ownership.whereabouts(user);
    if (where.kind !== 'mine') return;
    for (const member of where.before) this.#claim(member, user);
  }

  #claim(member: Member, user: string): void {
    let users = this.#waiting.get(member.id);
    if (users === undefined) {
      users = new Set();
      this.#waiting.set(member.id, users);
    }
    if (users.size < maxWaiting) users.add(user);
    if (this.#busy.has(member.id)) return;
    this.#busy.add(member.id);
    void this.#run(member, users);
  }

  async #run(member: Member, waiting: Set<string>): Promise<void> {
    const { clients, deadlineMs, ownership } = this.#options;
    while (waiting.size > 0) {
      const users = [...waiting].slice(0, maxClaimedUsers);
      for (const user of users) waiting.delete(user);
      const call = { deadlineMs, contentType: 'application/json' };
      const heard = ownership.asking(member.id);
      try {
        const { status, body } = await clients
          .of(member)
          .call('POST', '/v1/claims', call, JSON.stringify({ users }));
        if (status !== 200) continue;
        const { fingerprint, foreignUsers } = JSON.parse(body) as ClaimAnswer;
        heard(fingerprint, foreignUsers);
      } catch {
        // whoever cannot be asked is asked again with the next user who comes
        waiting.clear();
      }
    }
    this.#busy.delete(member.id);
    this.#waiting.delete(member.id);
  }
}
