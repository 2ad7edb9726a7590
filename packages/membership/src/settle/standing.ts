import type { Member } from '../member/contract.js';

/** How a member stands with the ring of this process. */
export type Standing =
  /** In the newest view, not in the ring yet. A flapping member does not count before `notBefore`. */
  | { readonly kind: 'waiting'; readonly member: Member; readonly since: number; readonly notBefore: number }
  /** In the newest view and in the ring. */
  | { readonly kind: 'counted'; readonly member: Member }
  /** In the newest view, not for the ring: draining, or refused. */
  | { readonly kind: 'apart'; readonly member: Member }
  /** Not in the newest view, still in the ring until there is proof that it left. */
  | Missing
  /** Not in the newest view, nor in the ring, but it still answers: its users are moving. */
  | Lingering;

export interface Missing extends Unlisted {
  readonly kind: 'missing';
}

export interface Lingering extends Unlisted {
  readonly kind: 'lingering';
  /** Probes in a row that found nobody. */
  readonly misses: number;
  /** It was listed as draining: most that vanish then have ended as planned, and the first silence says so. */
  readonly saidSo: boolean;
}

interface Unlisted {
  readonly member: Member;
  readonly vanishedAt: number;
  readonly probes: number;
  readonly nextProbeAt: number;
  /** The probe that is under way; an answer to any other says nothing about this disappearance. */
  readonly ticket: number | undefined;
  readonly found: { readonly outcome: ProbeOutcome; readonly at: number } | undefined;
}

/**
 * What a member that was asked directly turned out to be. `alive`: it answers as itself. `draining`: it answers
 * that it is leaving. `replaced`: something else answers there. `unreachable`: nothing answers in time. `unasked`: this
 * process could not ask, which says nothing.
 */
export type ProbeOutcome = 'alive' | 'draining' | 'replaced' | 'unreachable' | 'unasked';

export function isUnlisted(standing: Standing | undefined): standing is Missing | Lingering {
  return standing?.kind === 'missing' || standing?.kind === 'lingering';
}
