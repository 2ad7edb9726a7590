// The real mechanisms, as they are built, those included that their packages keep to themselves.
export { ClientCore } from '../../packages/client/dist/client-core.js';
export type { ClientStatus } from '../../packages/client/dist/client-status.js';
export type { SocketEvents, SocketPort } from '../../packages/client/dist/client-world.js';
export { EdgeCore } from '../../packages/edge/dist/link/edge-core.js';
export type { EdgeSession } from '../../packages/edge/dist/link/edge-session.js';
export { RingHistory } from '../../packages/membership/dist/ring-history.js';
export { Forwarder } from '../../packages/node/dist/forwarder.js';
export { Inbound } from '../../packages/node/dist/inbound.js';
export { LinkWork } from '../../packages/node/dist/link-work.js';
export { createNodeCounters } from '../../packages/node/dist/node-counters.js';
export { Router } from '../../packages/node/dist/router.js';
export { Dispatch, type DispatchLimits } from '../../packages/sender/dist/dispatch.js';
export type { Outcome } from '../../packages/sender/dist/node-client.js';
export { Pending } from '../../packages/sender/dist/pending.js';
