import { type Metrics, readingsOf } from '@pinwheel/metrics';
import type { ClientLimits } from '@pinwheel/server';
import type { AdminAccess } from './admin/admin-access.js';
import type { EdgeCounters } from './metrics/edge-counters.js';
import { edgeMetrics } from './metrics/edge-metrics.js';

import type { Upstream } from './upstream.js';

/** What is read beside the counters. */
export interface EdgeReadings {
  readonly upstream: Upstream;
  readonly access: AdminAccess;
  readonly limits: ClientLimits;
}

/** Has what every edge measures read when somebody scrapes, and what its upstream does. */
export function measureEdge(
  metrics: Metrics,
  counters: EdgeCounters,
  { upstream, access, limits }: EdgeReadings,
): void {
  metrics.add(edgeMetrics.connections, () => upstream.status.connections);
  metrics.add(edgeMetrics.upgrades, () => readingsOf(counters.upgrades));
  metrics.add(edgeMetrics.requests, () => readingsOf(counters.requests));
  metrics.add(edgeMetrics.tokenRenewals, () => readingsOf(counters.admission.renewals));
  metrics.add(edgeMetrics.keySetReads, () => readingsOf(counters.admission.keySets));
  metrics.add(edgeMetrics.authWebhook, () => readingsOf(counters.admission.webhook));
  metrics.add(edgeMetrics.limits, () => readingsOf(counters.limits));
  metrics.add(edgeMetrics.memory, () => limits.memoryBytes());
  metrics.add(edgeMetrics.sockets, () => limits.socketCounts());
  metrics.add(edgeMetrics.apiKeyCalls, () => readingsOf(access.decisions));
  upstream.measure(metrics);
}
