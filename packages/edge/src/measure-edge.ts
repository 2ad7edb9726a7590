import { type Metrics, readingsOf } from '@pinwheel/metrics';
import type { EdgeCounters } from './edge-counters.js';
import { edgeMetrics } from './edge-metrics.js';
import type { EdgeLimits } from './limits/edge-limits.js';
import type { Upstream } from './upstream.js';

/** Has what every edge measures read when somebody scrapes, and what its upstream does. */
export function measureEdge(
  metrics: Metrics,
  counters: EdgeCounters,
  { memory }: EdgeLimits,
  upstream: Upstream,
): void {
  metrics.add(edgeMetrics.connections, () => upstream.status.connections);
  metrics.add(edgeMetrics.upgrades, () => readingsOf(counters.upgrades));
  metrics.add(edgeMetrics.requests, () => readingsOf(counters.requests));
  metrics.add(edgeMetrics.tokenRenewals, () => readingsOf(counters.admission.renewals));
  metrics.add(edgeMetrics.keySetReads, () => readingsOf(counters.admission.keySets));
  metrics.add(edgeMetrics.authWebhook, () => readingsOf(counters.admission.webhook));
  metrics.add(edgeMetrics.limits, () => readingsOf(counters.limits));
  metrics.add(edgeMetrics.memory, () => [
    [memory.rssBytes, 'resident'],
    [memory.maxRssBytes, 'bound'],
  ]);
  upstream.measure(metrics);
}
