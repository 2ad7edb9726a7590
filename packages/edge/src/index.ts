export { createEdge, type Edge } from './edge.js';
export { edgeMetrics } from './edge-metrics.js';
export type { EdgeOptions, RingSource } from './edge-options.js';
export type { EdgeMigrationStatus } from './mover.js';
export type { UpstreamStatus } from './upstream.js';
