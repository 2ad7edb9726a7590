export { createEdge, type Edge } from './edge.js';
export { edgeMetrics, type MetricDefinition } from './edge-metrics.js';
export type { EdgeOptions, RingSource } from './edge-options.js';
export type { MigrationStatus } from './mover.js';
export { createPace, type Pace, type PaceOptions } from './pace.js';
export { type RingAnswer, type RingAnswerMember, ringAnswer } from './ring-answer.js';
export type { MigrationChange, UpstreamStatus } from './upstream.js';
