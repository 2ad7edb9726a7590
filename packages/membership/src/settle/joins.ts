import type { Member } from '../member/contract.js';
import type { Standing } from './standing.js';

/**
 * When the members that wait may count, together: once nobody joined for a while, at the latest some time after
 * the first of them. With nobody in the ring a flapping member is better than none. `Infinity`: nobody waits.
 */
export function joinsDueAt(
  joiners: readonly Joiner[],
  { joinQuietMs, joinLongestMs }: { readonly joinQuietMs: number; readonly joinLongestMs: number },
): number {
  const first = Math.min(...joiners.map(({ from }) => from));
  const last = Math.max(...joiners.map(({ since }) => since));
  return Math.max(first, Math.min(last + joinQuietMs, first + joinLongestMs));
}

export interface Joiner {
  readonly member: Member;
  /** When it joined. */
  readonly since: number;
  /** When it could count at the earliest. */
  readonly from: number;
}

export function joinersOf(standings: readonly Standing[]): readonly Joiner[] {
  const empty = !standings.some(({ kind }) => kind === 'counted' || kind === 'missing');
  return standings
    .filter((standing) => standing.kind === 'waiting')
    .map(({ member, since, notBefore }) => ({
      member,
      since,
      from: empty ? since : Math.max(since, notBefore),
    }));
}
