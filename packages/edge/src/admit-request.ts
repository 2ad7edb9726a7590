import type { IncomingMessage } from 'node:http';
import type { Admission, AdmissionOutcome, Admissions } from './admission/admission.js';
import { requestOfIncoming } from './admission/admission-request.js';
import type { RequestOutcome, UpgradeOutcome } from './edge-counters.js';
import { checkPlainRequest } from './plain-request-check.js';
import { notNow, type Refusal, refusal } from './refusal.js';
import { splitTarget } from './request-path.js';
import type { Router, Target } from './router.js';
import { checkUpgrade } from './upgrade-request.js';

/** What decides whether a client comes in, beside its request. */
export interface Gate {
  readonly admissions: Admissions;
  readonly router: Router;
  /** Whether upgrades are taken at this path. */
  readonly takesUpgrades: (path: string) => boolean;
  readonly isOpen: () => boolean;
  /** Why there is no room for one more tunnel; `undefined` when there is. */
  readonly full: () => string | undefined;
}

/** A user, and where he goes; or an answer, and what it is counted as. */
export type Admitted<Outcome> =
  | { readonly user: string; readonly expiresAt: number | undefined; readonly target: Target }
  | { readonly refused: Refusal; readonly outcome: Outcome };

export const drainingRefusal: Refusal = notNow('unavailable', 'this edge is draining');

/** A promise where who the client is has to be computed or asked; it never rejects. */
export function admitUpgrade(
  request: IncomingMessage,
  gate: Gate,
): Admitted<UpgradeOutcome> | Promise<Admitted<UpgradeOutcome>> {
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

/** A promise where who the client is has to be computed or asked; it never rejects. */
export function admitPlainRequest(
  request: IncomingMessage,
  gate: Gate,
): Admitted<RequestOutcome> | Promise<Admitted<RequestOutcome>> {
  const wrong = checkPlainRequest(request);
  if (wrong !== undefined) return { refused: wrong, outcome: 'bad-request' };
  if (!gate.isOpen()) return { refused: drainingRefusal, outcome: 'draining' };
  return admitUser(request, gate);
}

type UserAdmitted = Admitted<AdmissionOutcome | 'draining'>;

function admitUser(request: IncomingMessage, gate: Gate): UserAdmitted | Promise<UserAdmitted> {
  const admission = gate.admissions.admit(requestOfIncoming(request));
  if (!(admission instanceof Promise)) return routed(admission, gate);
  return admission.then((decided) =>
    gate.isOpen() ? routed(decided, gate) : { refused: drainingRefusal, outcome: 'draining' },
  );
}

function routed(admission: Admission, gate: Gate): UserAdmitted {
  if ('refused' in admission) return admission;
  const { user, expiresAt } = admission;
  const route = gate.router.route(user);
  if ('refused' in route) return { refused: route.refused, outcome: 'unavailable' };
  return { user, expiresAt, target: route.target };
}
