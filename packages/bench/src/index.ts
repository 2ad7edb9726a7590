export type {
  Comparison,
  Conditions,
  Contender,
  CpuMicros,
  LatencyMs,
  Phase,
  Run,
  TimelineSecond,
} from './result.js';
export { contenders, phases } from './result.js';
