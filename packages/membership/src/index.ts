export type { AddressRuleOptions } from './address-rule.js';
export { askHealth, type HealthFinding } from './ask-health.js';
export { type BackoffOptions, backoffMs } from './backoff.js';
export { callWithin } from './call-within.js';
export { type Clock, systemClock } from './clock.js';
export { consulMembership } from './consul.js';
export type { ConsulOptions } from './consul-options.js';
export type {
  Member,
  Membership,
  MembershipListener,
  MembersView,
  Registered,
  Registration,
} from './contract.js';
export { type HealthAnswer, parseHealthAnswer } from './health-answer.js';
export { type InProcessMember, type InProcessMembership, inProcessMembership } from './in-process.js';
export { type Log, silentLog } from './log.js';
export { networkList } from './network.js';
export { type MembershipRules, membershipFrom, staticSource } from './parse-membership.js';
export { reasonOf } from './reason-of.js';
export { type RingAnswer, ringAnswer } from './ring-answer.js';
export { addRingMetrics, ringMetrics } from './ring-metrics.js';
export type { RingState, RingTracker, RingTrackerStatus } from './ring-state.js';
export { createRingTracker } from './ring-tracker.js';
export type { RingTrackerOptions } from './ring-tracker-options.js';
export { type StaticMembershipOptions, staticMembership } from './static.js';
export type { StaticMember } from './static-file.js';
