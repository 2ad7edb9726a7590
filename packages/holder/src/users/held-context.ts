import type { InboxBudget } from '../inbox/inbox-budget.js';
import type { InboxLimits } from '../inbox/inbox-limits.js';
import type { Departed } from './departed.js';
import type { Dismissals } from './dismissals.js';
import type { HeldUser } from './held-user.js';
import type { Session } from './session.js';

/** What all users of a node share. */
export interface HeldContext {
  /** A clock that does not go backwards, in ms. */
  readonly now: () => number;
  /** Makes the name of a stream that no other process makes. */
  readonly newStream: () => string;
  readonly budget: InboxBudget;
  readonly limits: InboxLimits;
  /** How long a session that can resume is waited for, in ms; and one that only its edge can bring back. */
  readonly resumeWindowMs: number;
  readonly plainWindowMs: number;
  readonly departed: Departed;
  readonly dismissals: Dismissals;
  /** A session has begun. */
  began(held: HeldUser): void;
  /** A session is over. */
  ended(held: HeldUser, session: Session, code: number, reason: string): void;
  /** The user has something that a later sweep has to look at. */
  toSweep(held: HeldUser): void;
}
