import type { Clock, RingState } from '@pinwheel/membership';
import type { ClientFrame } from '@pinwheel/protocol';
import type { InboundWork } from './moves/inbound-work.js';
import type { Placement } from './moves/ownership.js';
import type { Peers } from './moves/peers.js';
import type { HeldUser } from './users/held-user.js';
import type { LinkSession } from './users/link-session.js';
import type { Session } from './users/session.js';
import type { Presence } from './users/users.js';

/** What the application is told of sessions that come by links. */
export interface SessionWork extends InboundWork {
  /**
   * A session has begun. `session.announced = true` says that the application has heard of it; one of which it has not when
   * its user is handed over begins at the next holder. Not called again when it resumes.
   */
  began(session: LinkSession): void;
  /** Its client has sent the next message; `session.processed(number)` says that it has been dealt with. */
  client(session: LinkSession, frame: Extract<ClientFrame, { readonly kind: 'message' | 'send' }>): void;
  /** A session is over; code and reason as far as they are known. */
  ended(session: Session, code: number, reason: string): void;
}

export interface HolderOptions {
  /** Id of this member. */
  readonly self: string;
  /** Random at start. */
  readonly incarnation: string;
  readonly state: RingState;
  /** Default: `owner`. */
  readonly placement?: Placement;
  readonly presence?: Presence;
  readonly clock: Clock;
  readonly random: () => number;
  /** Calls at the end of this turn of the event loop. */
  readonly soon: (call: () => void) => void;
  readonly newStream: () => string;
  readonly peers: Peers;
  readonly work: SessionWork;
  /** Whether this node takes users from others. */
  readonly isOpen: () => boolean;
  /** Tells clients whose sockets end here to connect again: their user goes elsewhere. */
  readonly closeDirect: (held: HeldUser) => void;
  /** The ring seems to be out of date. Cheap to call often. */
  readonly refreshRing: () => void;
  /** The pace, in users per second. */
  readonly usersPerSecond: number;
  readonly limits: HolderLimits;
}

export interface HolderLimits {
  readonly resumeWindowMs: number;
  readonly plainWindowMs: number;
  readonly maxInboxMessages: number;
  readonly maxInboxBytes: number;
  /** Of all users together. */
  readonly maxInboxTotalBytes: number;
  readonly keepAliveMs: number;
  readonly maxLinkUnreadBytes: number;
  readonly maxCopies: number;
  readonly quiesceMs: number;
  /** So long a claim waits for the application to finish a message; shorter than those who claim wait. */
  readonly claimWaitMs: number;
  readonly tombstoneMs: number;
  /** A copy that nobody has spoken of for so long is asked about. */
  readonly staleCopyMs: number;
}

export const defaultHolderLimits: HolderLimits = {
  resumeWindowMs: 60_000,
  plainWindowMs: 10_000,
  maxInboxMessages: 256,
  maxInboxBytes: 262_144,
  maxInboxTotalBytes: 268_435_456,
  keepAliveMs: 6000,
  maxLinkUnreadBytes: 67_108_864,
  maxCopies: 1_000_000,
  quiesceMs: 5000,
  claimWaitMs: 3000,
  tombstoneMs: 300_000,
  staleCopyMs: 5000,
};
