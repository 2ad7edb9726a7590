import type { IncomingMessage } from 'node:http';
import type { Admit } from './admission.js';
import type { RequestOutcome, UpgradeOutcome } from './edge-counters.js';
import { checkPlainRequest } from './plain-request-check.js';
import { notNow, type Refusal, refusal } from './refusal.js';
import { splitTarget } from './request-path.js';
import type { Router, Target } from './router.js';
import { checkUpgrade } from './upgrade-request.js';

/** What decides whether a client comes in, beside its request. */
export interface Gate {
  readonly admit: Admit;
  readonly router: Router;
  /** Whether upgrades are taken at this path. */
  readonly takesUpgrades: (path: string) => boolean;
  readonly isOpen: () => boolean;
  /** Why there is no room for one more tunnel; `undefined` when there is. */
  readonly full: () => string | undefined;
}

/** A user, and where he goes; or an answer, and what it is counted as. */
export type Admitted<Outcome> =
  | { readonly user: string; readonly target: Target }
  | { readonly refused: Refusal; readonly outcome: Outcome };

export const drainingRefusal: Refusal = notNow('unavailable', 'this edge is draining');

export function admitUpgrade(request: IncomingMessage, gate: Gate): Admitted<UpgradeOutcome> {
  const wrong = checkUpgrade(request);
  if (wrong !== undefined) return { refused: wrong, outcome: 'bad-request' };
  if (!gate.isOpen()) return { refused: drainingRefusal, outcome: 'draining' };
  if (!gate.takesUpgrades(splitTarget(request.url ?? '').path)) {
    return {
      refused: refusal(404, 'not-found', 'no WebSocket is served at this path'),
      outcome: 'not-found',
    };
  }
  const full = gate.full();
  if (full !== undefined) return { refused: notNow('overloaded', full), outcome: 'overloaded' };
  return admitUser(request, gate);
}

export function admitPlainRequest(request: IncomingMessage, gate: Gate): Admitted<RequestOutcome> {
  const wrong = checkPlainRequest(request);
  if (wrong !== undefined) return { refused: wrong, outcome: 'bad-request' };
  if (!gate.isOpen()) return { refused: drainingRefusal, outcome: 'draining' };
  return admitUser(request, gate);
}

function admitUser(request: IncomingMessage, gate: Gate): Admitted<'bad-user' | 'unavailable'> {
  const admission = gate.admit(request);
  if ('refused' in admission) return { refused: admission.refused, outcome: 'bad-user' };
  const route = gate.router.route(admission.user);
  if ('refused' in route) return { refused: route.refused, outcome: 'unavailable' };
  return { user: admission.user, target: route.target };
}
