import { createHash } from 'node:crypto';
import type { Member, MembersView } from './contract.js';

/** Everything that is known of a member, in a fixed order: equal lines mean that nothing changed. */
export function describeMember(member: Member): string {
  return JSON.stringify([
    member.id,
    member.address,
    member.port,
    member.wsPort ?? null,
    member.weight,
    member.draining,
    member.kind,
    member.incarnation ?? null,
    member.settingsDigest ?? null,
    member.settingsText ?? null,
  ]);
}

/** In the order of their ids, which are ASCII: UTF-16 order is the order of their bytes. */
export function sortMembers(members: Iterable<Member>): readonly Member[] {
  return Object.freeze([...members].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)));
}

/** The first 16 hex digits of the SHA-256 of one line a member, in the order of ids. */
export function membersDigest(sorted: readonly Member[]): string {
  const hash = createHash('sha256');
  for (const member of sorted) hash.update(describeMember(member)).update('\n');
  return hash.digest('hex').slice(0, 16);
}

/** A view of members in any order; their ids must be unique. */
export function viewOf(
  members: Iterable<Member>,
  index: string,
  ignored: MembersView['ignored'] = [],
): MembersView {
  const sorted = sortMembers(members);
  return Object.freeze({ members: sorted, digest: membersDigest(sorted), index, ignored });
}
