import type { Member } from '@pinwheel/membership';
import type { HeldUser } from './held-user.js';
import type { UserState } from './user-state.js';

/** A copy from a holder. It serves nobody until the holder says that it is this node's. */
export interface Copy {
  /** Id of the holder that it came from. */
  readonly from: string;
  readonly incarnation: string;
  readonly handoff: string;
  readonly state: UserState;
  /** What it takes of the node's memory for inboxes. */
  readonly memoryBytes: number;
  /** When it came, by the node's clock, in ms. */
  readonly at: number;
}

/** A copy of a user whom this node does not hold. */
export class PreparedUser {
  readonly kind = 'prepared';
  readonly user: string;
  readonly hash: number;
  readonly copy: Copy;

  constructor(user: string, hash: number, copy: Copy) {
    this.user = user;
    this.hash = hash;
    this.copy = copy;
  }
}

/** What is kept of a user that was handed over until the new holder has acknowledged it. */
export interface Unacknowledged {
  readonly handoff: string;
  readonly target: Member;
  /** Of the process that keeps the copy: another one under that id has not got it. */
  readonly incarnation: string;
  readonly state: UserState;
}

/** A tombstone: the user is elsewhere, as far as this node knows. */
export class ReleasedUser {
  readonly kind = 'released';
  readonly user: string;
  readonly to: string;
  /** Until when this node held the user, by the node's clock, in ms; -Infinity when it never did. */
  readonly heldUntil: number;
  /** When it may be forgotten, by the node's clock, in ms; not before it is acknowledged. */
  readonly until: number;
  unacknowledged: Unacknowledged | undefined;

  constructor(user: string, to: string, heldUntil: number, until: number, unacknowledged?: Unacknowledged) {
    this.user = user;
    this.to = to;
    this.heldUntil = heldUntil;
    this.until = until;
    this.unacknowledged = unacknowledged;
  }
}

export type KnownUser = HeldUser | PreparedUser | ReleasedUser;
