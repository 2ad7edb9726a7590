export { type AckProgress, type AckWait, isOver } from './ack-waits.js';
export type { AttachPlace } from './attaching.js';
export { deliver, deliverTo, type Missing } from './delivery.js';
export type { InboundWork } from './handoffs.js';
export type { HeldUser } from './held-user.js';
export { Holder } from './holder.js';
export {
  defaultHolderLimits,
  type HolderLimits,
  type HolderOptions,
  type SessionWork,
} from './holder-options.js';
export type { KnownUser } from './known-user.js';
export { LinkSession } from './link-session.js';
export type { LinkSocket } from './link-world.js';
export type { Moves } from './moves.js';
export type { NodeLink } from './node-link.js';
export { Ownership, type Placement, type Whereabouts } from './ownership.js';
export {
  type ClaimAnswer,
  type ClaimRequest,
  type CommitAnswer,
  type CommitRequest,
  maxCallUsers,
  type PeerAnswer,
  type Peers,
  type PrepareAnswer,
  type PrepareRequest,
} from './peers.js';
export { holdersToAsk, sentOnTo } from './sent-on.js';
export type { Session } from './session.js';
export type { Absorbed, KeptState, SessionState, UserState } from './user-state.js';
export { Users } from './users.js';
