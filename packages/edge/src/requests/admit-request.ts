import type { IncomingMessage, ServerResponse } from 'node:http';
import { PinwheelError } from '@pinwheel/protocol';
import type { Place } from '@pinwheel/server';
import type { Admission, AdmissionOutcome, Admissions } from '../admission/admission.js';
import { requestOfIncoming } from '../admission/admission-request.js';
import type { Router, Target } from '../backend/router.js';
import { checkNamesFor } from '../http/node-header-names.js';
import { checkPlainRequest } from '../http/plain-request-check.js';
import { limited, notNow, type Refusal, refusal } from '../http/refusal.js';
import { splitTarget } from '../http/request-path.js';
import { checkUpgrade } from '../http/upgrade-request.js';
import type { RequestOutcome, UpgradeOutcome } from '../metrics/edge-counters.js';

/** What decides whether a client comes in, beside its request. */
export interface Gate {
  readonly admissions: Admissions;
  readonly router: Router;
  /** Whether upgrades are taken at this path. */
  readonly takesUpgrades: (path: string) => boolean;
  readonly isOpen: () => boolean;
  /** A place for one more tunnel, which is left with the client's socket; or why there is none. */
  readonly arrive: (request: IncomingMessage) => Place | PinwheelError;
  /** A place for one more plain request, which is left when its answer is over; or why there is none. */
  readonly arriveForAnswer: (request: IncomingMessage, response: ServerResponse) => Place | PinwheelError;
}

/** A user, and where he goes. */
export interface Welcome {
  readonly user: string;
  readonly expiresAt: number | undefined;
  readonly target: Target;
}

/** An answer, and what it is counted as. */
export interface Refused<Outcome> {
  readonly refused: Refusal;
  readonly outcome: Outcome;
}

export type Admitted<Outcome> = Welcome | Refused<Outcome>;
export type AdmittedUpgrade = (Welcome & { readonly place: Place }) | Refused<UpgradeOutcome>;

type UserOutcome = AdmissionOutcome | 'bad-request' | 'draining';
type LimitOutcome = 'limit-reached' | 'overloaded';
type UserAdmitted = Admitted<UserOutcome>;
type Placed = (Welcome & { readonly place: Place }) | Refused<UserOutcome | LimitOutcome>;

export const drainingRefusal: Refusal = notNow('unavailable', 'this edge is draining');

/** A promise where who the client is has to be computed or asked; it never rejects. */
export function admitUpgrade(
  request: IncomingMessage,
  gate: Gate,
): AdmittedUpgrade | Promise<AdmittedUpgrade> {
  const wrong = checkUpgrade(request);
  if (wrong !== undefined) return { refused: wrong, outcome: 'bad-request' };
  if (!gate.isOpen()) return { refused: drainingRefusal, outcome: 'draining' };
  if (!gate.takesUpgrades(splitTarget(request.url ?? '').path)) {
    return {
      refused: refusal(404, 'not-found', 'no WebSocket is served at this path'),
      outcome: 'not-found',
    };
  }
  const place = gate.arrive(request);
  if (place instanceof PinwheelError) return atLimit(place);
  const admitted = admitUser(request, gate);
  return admitted instanceof Promise
    ? admitted.then((decided) => placed(decided, place))
    : placed(admitted, place);
}

function placed(admitted: UserAdmitted, place: Place): Placed {
  if ('refused' in admitted) return admitted;
  const full = place.belongsTo(admitted.user);
  return full === undefined ? { ...admitted, place } : atLimit(full);
}

function atLimit(error: PinwheelError): Refused<LimitOutcome> {
  return { refused: limited(error), outcome: error.code === 'limit-reached' ? error.code : 'overloaded' };
}

/** A promise where who the client is has to be computed or asked; it never rejects. */
export function admitPlainRequest(
  request: IncomingMessage,
  response: ServerResponse,
  gate: Gate,
): Admitted<RequestOutcome> | Promise<Admitted<RequestOutcome>> {
  const wrong = checkPlainRequest(request);
  if (wrong !== undefined) return { refused: wrong, outcome: 'bad-request' };
  if (!gate.isOpen()) return { refused: drainingRefusal, outcome: 'draining' };
  const place = gate.arriveForAnswer(request, response);
  if (place instanceof PinwheelError) return atLimit(place);
  const admitted = admitUser(request, gate);
  return admitted instanceof Promise
    ? admitted.then((decided) => placed(decided, place))
    : placed(admitted, place);
}

function admitUser(request: IncomingMessage, gate: Gate): UserAdmitted | Promise<UserAdmitted> {
  const admission = gate.admissions.admit(requestOfIncoming(request));
  if (!(admission instanceof Promise)) return routed(admission, request, gate);
  return admission.then((decided) =>
    gate.isOpen() ? routed(decided, request, gate) : { refused: drainingRefusal, outcome: 'draining' },
  );
}

function routed(admission: Admission, request: IncomingMessage, gate: Gate): UserAdmitted {
  if ('refused' in admission) return admission;
  const { user, expiresAt } = admission;
  const route = gate.router.route(user);
  if ('refused' in route) return { refused: route.refused, outcome: 'unavailable' };
  const wrongName = checkNamesFor(route.target.member, request);
  if (wrongName !== undefined) return { refused: wrongName, outcome: 'bad-request' };
  return { user, expiresAt, target: route.target };
}
