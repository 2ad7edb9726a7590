export { diff, type MovedArc, type RingDiff } from './diff.js';
export { plan, type RingChange, type RingPlan } from './plan.js';
export { buildRing, type Ring } from './ring.js';
export {
  isMemberId,
  isWeight,
  maxMembers,
  maxWeight,
  minWeight,
  parseRingMember,
  pointsOfWeight,
  type RingMember,
} from './ring-member.js';
export {
  defaultRingSettings,
  describeRingSettings,
  maxVirtualNodes,
  type RingHash,
  type RingSettings,
  ringSettings,
  ringSettingsDigest,
} from './ring-settings.js';
export { turnOf } from './turn-of.js';
