export { counter, gauge, histogram, type MetricDefinition } from './metric-definition.js';
export {
  eventLoopDelayMetric,
  Metrics,
  memoryMetric,
  type Reading,
  readingsOf,
  socketsMetric,
} from './metrics.js';
export { zeros } from './zeros.js';
