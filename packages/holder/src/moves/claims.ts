import type { Member } from '@pinwheel/membership';
import type { Users } from '../users/users.js';
import type { Copies } from './copies.js';
import { MemberOutboxes } from './member-outbox.js';
import type { Ownership } from './ownership.js';
import { type ClaimAnswer, maxCallUsers, type Peers } from './peers.js';

export interface ClaimsOptions {
  readonly self: string;
  readonly incarnation: string;
  readonly users: Users;
  readonly ownership: Ownership;
  readonly copies: Copies;
  readonly peers: Peers;
}

/** What has become known of a user. */
export type ClaimOutcome =
  /** Everybody who was asked denies it. */
  | { readonly kind: 'nobody' }
  /** It has come here. */
  | { readonly kind: 'here' }
  /** That member has it and does not hand it over now. */
  | { readonly kind: 'held'; readonly by: string }
  /** Those members did not answer, which says nothing of the user. */
  | { readonly kind: 'unknown'; readonly silent: readonly string[] };

interface Claim {
  readonly user: string;
  readonly heard: (answer: Heard | undefined) => void;
}

interface UnderWay {
  readonly asked: ReadonlySet<string>;
  readonly outcome: Promise<ClaimOutcome>;
}

interface Heard {
  readonly answer: ClaimAnswer;
  /** Of the process that answered. */
  readonly incarnation: string;
}

/** A chain of "it has moved" is followed so far. */
const maxChain = 6;
/** So often a member may say so: after that those who name each other in a circle are known to have nobody. */
const timesNamed = 2;
/** A claim is answered when the handoff is over: a slow one must not hold up the others. Fewer than connections for calls. */
const callsAtOnce = 8;

/** Asks those who may hold a user of this node to hand it over now, the claimant's side. */
export class Claims {
  readonly #options: ClaimsOptions;
  readonly #outboxes: MemberOutboxes<Claim>;
  readonly #underWay = new Map<string, UnderWay>();

  constructor(options: ClaimsOptions) {
    this.#options = options;
    this.#outboxes = new MemberOutboxes({
      most: maxCallUsers,
      calls: callsAtOnce,
      call: (member, claims) => this.#call(member, claims),
    });
  }

  get underWay(): number {
    return this.#underWay.size;
  }

  /** Asks all of them at once. Whoever would ask the same members for the same user meanwhile gets the same outcome. */
  claim(user: string, members: readonly Member[]): Promise<ClaimOutcome> {
    const known = this.#underWay.get(user);
    if (known !== undefined && members.every(({ id }) => known.asked.has(id))) return known.outcome;
    const claim: UnderWay = {
      asked: new Set(members.map(({ id }) => id)),
      outcome: this.#claim(user, members).finally(() => {
        if (this.#underWay.get(user) === claim) this.#underWay.delete(user);
      }),
    };
    this.#underWay.set(user, claim);
    return claim.outcome;
  }

  /** Asks one member, though the user is held here already. */
  claimAnew(user: string, member: Member): Promise<ClaimOutcome> {
    return this.#follow(user, member.id);
  }

  async #claim(user: string, members: readonly Member[]): Promise<ClaimOutcome> {
    const ends = await Promise.all(members.map((member) => this.#follow(user, member.id)));
    if (this.#options.users.get(user) !== undefined) return { kind: 'here' };
    const holder = ends.find((end) => end.kind === 'held');
    if (holder !== undefined) return holder;
    const silent = ends.flatMap((end) => (end.kind === 'unknown' ? end.silent : []));
    return silent.length > 0 ? { kind: 'unknown', silent } : { kind: 'nobody' };
  }

  /** Asks one member, and those whom it names. */
  async #follow(user: string, first: string): Promise<ClaimOutcome> {
    const { self, copies, users } = this.#options;
    let member = first;
    const settled = new Map<string, number>();
    for (let chain = 0; chain <= maxChain; chain++) {
      // only what was here before the question is the answer's business: a newer copy may come in between
      const copy = copies.from(user, member);
      const heard = await this.#ask(user, member);
      if (heard === undefined) {
        // a member that has left holds nobody
        const hasLeft = !this.#options.ownership.state.members.has(member);
        return hasLeft ? { kind: 'nobody' } : { kind: 'unknown', silent: [member] };
      }
      const { answer, incarnation } = heard;
      if (answer.kind === 'yours') copies.commitOne(user, answer.handoff);
      // another process under that id knows nothing of what the copy's holder decided
      if (copy?.incarnation === incarnation) copies.drop(user, copy.handoff);
      if (answer.kind === 'yours') {
        return users.get(user) === undefined ? { kind: 'unknown', silent: [member] } : { kind: 'here' };
      }
      if (answer.kind === 'held') return { kind: 'held', by: member };
      if (answer.kind === 'none' || answer.to === self) return { kind: 'nobody' };
      // while a copy is on its way, both ends name each other
      if (answer.settled === true) settled.set(member, (settled.get(member) ?? 0) + 1);
      else settled.clear();
      member = answer.to;
      if ((settled.get(member) ?? 0) >= timesNamed) return { kind: 'nobody' };
    }
    return { kind: 'unknown', silent: [member] };
  }

  #ask(user: string, member: string): Promise<Heard | undefined> {
    return new Promise((heard) => this.#outboxes.push(member, { user, heard }));
  }

  async #call(id: string, claims: readonly Claim[]): Promise<void> {
    const { self, incarnation, peers, ownership } = this.#options;
    const member = ownership.state.members.get(id);
    if (member === undefined) {
      for (const { heard } of claims) heard(undefined);
      return;
    }
    const heardOf = ownership.asking(id);
    try {
      const users = claims.map(({ user }) => user);
      const answer = await peers.claim(member, { from: self, incarnation, users });
      heardOf(answer.fingerprint, answer.foreignUsers);
      for (const [i, { heard }] of claims.entries()) {
        const one = answer.answers[i];
        heard(one === undefined ? undefined : { answer: one, incarnation: answer.incarnation });
      }
    } catch {
      for (const { heard } of claims) heard(undefined);
    }
  }
}
