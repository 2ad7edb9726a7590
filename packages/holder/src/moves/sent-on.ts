import type { Member } from '@pinwheel/membership';
import type { KnownUser } from '../users/known-user.js';

/** The member that a user was sent on to from here, as far as this node knows and while that is one. */
export function sentOnTo(
  known: KnownUser | undefined,
  members: ReadonlyMap<string, Member>,
): Member | undefined {
  return known?.kind === 'released' ? members.get(known.to) : undefined;
}

/** Whom to ask for a user who belongs here, each once: first where it was sent on to, then the owners before. */
export function holdersToAsk(to: Member | undefined, before: readonly Member[]): readonly Member[] {
  return to === undefined ? before : [...new Set([to, ...before])];
}
