export { counter, gauge, histogram, type MetricDefinition } from './metric-definition.js';
export { eventLoopDelayMetric, Metrics, type Reading, readingsOf } from './metrics.js';
