export { Holder } from './holder.js';
export {
  defaultHolderLimits,
  type HolderLimits,
  type HolderOptions,
  type SessionWork,
} from './holder-options.js';
export type { LinkSocket } from './link/link-world.js';
export type { NodeLink } from './link/node-link.js';
export type { AttachPlace } from './moves/attaching.js';
export type { InboundWork } from './moves/inbound-work.js';
export type { Moves } from './moves/moves.js';
export { Ownership, type Placement, type Whereabouts } from './moves/ownership.js';
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
} from './moves/peers.js';
export { holdersToAsk, sentOnTo } from './moves/sent-on.js';
export { type AckProgress, type AckWait, isOver } from './users/ack-waits.js';
export { deliver, deliverTo, type Missing } from './users/delivery.js';
export type { HeldUser } from './users/held-user.js';
export type { KnownUser } from './users/known-user.js';
export { LinkSession } from './users/link-session.js';
export type { Session } from './users/session.js';
export type { Absorbed, KeptState, SessionState, UserState } from './users/user-state.js';
export { Users } from './users/users.js';
