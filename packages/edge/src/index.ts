export { createEdge, type Edge } from './edge.js';
export type { EdgeOptions, RingSource } from './edge-options.js';
// for the simulation and tests
export { EdgeCore } from './link/edge-core.js';
export type { EdgeCoreOptions } from './link/edge-core-options.js';
export type { EdgeSession } from './link/edge-session.js';
export type { ClientPort, ClientSpeech, EdgeWorld, LinkEvents, LinkSocket } from './link/edge-world.js';
export { edgeMetrics, linkMetrics, tunnelMetrics } from './metrics/edge-metrics.js';
export type { EdgeMigrationStatus, UpstreamStatus } from './upstream.js';
