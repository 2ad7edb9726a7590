export { consulMembership } from './consul/consul.js';
export type { ConsulOptions } from './consul/consul-options.js';
export { type InProcessMember, type InProcessMembership, inProcessMembership } from './in-process.js';
export { type Log, silentLog } from './log/log.js';
export { reasonOf } from './log/reason-of.js';
export type { AddressRuleOptions } from './member/address-rule.js';
export { askHealth, type HealthFinding } from './member/ask-health.js';
export type {
  Member,
  Membership,
  MembershipListener,
  MembersView,
  Registered,
  Registration,
} from './member/contract.js';
export { type HealthAnswer, parseHealthAnswer } from './member/health-answer.js';
export { networkList } from './member/network.js';
export { type MembershipRules, membershipFrom, staticSource } from './parse-membership.js';
export { type RingAnswer, ringAnswer } from './ring/ring-answer.js';
export { addRingMetrics, ringMetrics } from './ring/ring-metrics.js';
export type { RingState, RingTracker, RingTrackerStatus } from './ring/ring-state.js';
export { type StaticMembershipOptions, staticMembership } from './static/static.js';
export type { StaticMember } from './static/static-file.js';
export { type BackoffOptions, backoffMs } from './time/backoff.js';
export { callWithin } from './time/call-within.js';
export { backgroundClock, type Clock, systemClock } from './time/clock.js';
export { withinDeadline } from './time/within-deadline.js';
export { createRingTracker } from './tracker/ring-tracker.js';
export type { RingTrackerOptions } from './tracker/ring-tracker-options.js';
