export { compareWithRuns, type ModelCheck } from './model/compare-with-runs.js';
export { type Costs, measuredCosts, type StrategyCosts } from './model/costs.js';
export { costsOf } from './model/costs-of.js';
export { type Demand, type GivenDemand, usualDemand } from './model/demand.js';
export { modelOf } from './model/model-of.js';
export type { ModelResult, StrategyModel } from './model/model-result.js';
export { parseCount } from './model/parse-count.js';
export { textModel } from './model/text-model.js';
export { highlights } from './report/highlights.js';
export { htmlReport } from './report/html-report.js';
export { readComparison } from './report/read-comparison.js';
export { textReport } from './report/text-report.js';
export {
  type Comparison,
  type Conditions,
  type Contender,
  type CpuMicros,
  contenders,
  type LatencyMs,
  type Phase,
  phases,
  type Run,
  type TimelineSecond,
} from './result.js';
export { type BenchOptions, quickBench } from './run/bench-options.js';
export { type Progress, runComparison } from './run/run-comparison.js';
