import type { Router, Target } from './router.js';

/** Where a second try goes: the owner by the fresh ring, or, when that is who was asked, whom a node has named. */
export function nextTarget(
  router: Router,
  user: string,
  tried: Target,
  hint: string | undefined,
): Target | undefined {
  const route = router.route(user);
  const byRing = 'target' in route ? route.target : undefined;
  if (hint === undefined) return byRing;
  if (byRing !== undefined && byRing.member.id !== tried.member.id) return byRing;
  return tried.member.kind === 'node' ? router.member(hint) : undefined;
}
