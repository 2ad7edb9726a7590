export type {
  Member,
  Membership,
  MembershipListener,
  MembersView,
  Registered,
  Registration,
} from './contract.js';
export { type Log, silentLog } from './log.js';
export type { RingState, RingTracker, RingTrackerOptions, RingTrackerStatus } from './ring-tracker.js';
