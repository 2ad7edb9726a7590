import { zeros } from '@pinwheel/metrics';
import { type AdmissionCounters, admissionCounters } from '../admission/admission-counters.js';
import { type EdgeLimitCounters, edgeLimitNames } from '../limits/limit-counters.js';

/** How an upgrade ended. */
export const upgradeOutcomes = [
  'opened',
  'tunnelled',
  'bad-request',
  'bad-user',
  'bad-token',
  'bad-origin',
  'not-found',
  'unavailable',
  'overloaded',
  'limit-reached',
  'draining',
  'unreachable',
  'not-owner',
  'refused-by-backend',
  'broken',
  'bad-handshake',
  'timeout',
  'client-left',
] as const;
export type UpgradeOutcome = (typeof upgradeOutcomes)[number];

/** How a plain HTTP request ended. */
export const requestOutcomes = [
  'answered',
  'bad-request',
  'bad-user',
  'bad-token',
  'bad-origin',
  'unavailable',
  'overloaded',
  'limit-reached',
  'draining',
  'unreachable',
  'not-owner',
  'broken',
  'timeout',
  'token-expired',
  'client-left',
] as const;
export type RequestOutcome = (typeof requestOutcomes)[number];

/** Why a tunnel ended. */
export const closeReasons = [
  'finished',
  'client-left',
  'too-slow',
  'owner-lost',
  'token-expired',
  'rate-exceeded',
  'moved',
  'drained',
  'cut',
] as const;
export type CloseReason = (typeof closeReasons)[number];

/** Why an upgrade or a request was sent a second time. */
export const retryReasons = ['not-owner', 'unreachable'] as const;
export type RetryReason = (typeof retryReasons)[number];

/** What every tunnel adds to, per chunk: plain numbers. */
export interface TunnelCounters {
  bytesToClients: number;
  bytesToBackends: number;
}

/** What an edge counts; read when somebody asks for the metrics. */
export interface EdgeCounters extends TunnelCounters {
  readonly upgrades: Record<UpgradeOutcome, number>;
  readonly requests: Record<RequestOutcome, number>;
  readonly closes: Record<CloseReason, number>;
  readonly retries: Record<RetryReason, number>;
  readonly admission: AdmissionCounters;
  readonly limits: EdgeLimitCounters;
}

export function edgeCounters(): EdgeCounters {
  return {
    bytesToClients: 0,
    bytesToBackends: 0,
    upgrades: zeros(upgradeOutcomes),
    requests: zeros(requestOutcomes),
    closes: zeros(closeReasons),
    retries: zeros(retryReasons),
    admission: admissionCounters(),
    limits: zeros(edgeLimitNames),
  };
}
