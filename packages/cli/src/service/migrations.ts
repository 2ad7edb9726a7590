import type { Settings } from '../settings/settings.js';
import { askEach, type Failed, hasFailed } from './ask-each.js';
import { ignoredBy } from './ignored-members.js';
import type { AdminTarget } from './nodes-of.js';
import type { OpenRing } from './open-ring.js';
import { targetsOf } from './targets-of.js';

const nobody =
  'nobody was asked: no Pinwheel node is there; users of foreign backends are moved by edges, name the admin port of each with --edge http://host:port';

/** The moves of one process, as it says. */
export interface Migration {
  readonly paused: boolean;
  readonly usersPerSecond: number;
  readonly waiting: number;
  readonly moved: number;
}

export type Answer = (Migration & { readonly id: string }) | Failed;

/** Who moves users. */
export interface Movers {
  /** Every node that is taken, and the edges that the settings name. */
  readonly targets: readonly AdminTarget[];
  /** Listed, and not to be asked. */
  readonly ignored: readonly { readonly id: string; readonly reason: string }[];
}

/**
 * Whose moves there are to ask about, as the ring is now.
 *
 * @throws PinwheelError `unavailable` when that is nobody.
 */
export function moversOf(settings: Settings, ring: OpenRing): Movers {
  const targets = targetsOf(settings, ring, nobody);
  return { targets, ignored: ignoredBy(ring.tracker) };
}

export function askMovers(
  { targets }: Movers,
  ask: (target: AdminTarget) => Promise<unknown>,
): Promise<readonly Answer[]> {
  return askEach(targets, async (target) => (await ask(target)) as Migration);
}

/** In a word. */
export function stateOf(answer: Answer): string {
  if (!hasFailed(answer)) return answer.paused ? 'paused' : 'running';
  switch (answer.code) {
    case 'unreachable':
      return 'not reached';
    case 'not-authenticated':
    case 'not-allowed':
      return 'refused';
    default:
      return 'failed';
  }
}
