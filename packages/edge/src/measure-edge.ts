import { type Metrics, readingsOf } from '@pinwheel/metrics';
import type { EdgeCounters } from './edge-counters.js';
import { edgeMetrics } from './edge-metrics.js';
import type { Upstream } from './upstream.js';

/** Has everything of {@link edgeMetrics} read when somebody scrapes, but the times: those are observed. */
export function measureEdge(metrics: Metrics, counters: EdgeCounters, upstream: Upstream): void {
  metrics.add(edgeMetrics.connections, () => upstream.status.connections);
  metrics.add(edgeMetrics.tunnels, () => {
    const { tunnelsToNodes, tunnelsToForeign } = upstream.status;
    return [
      [tunnelsToNodes, 'node'],
      [tunnelsToForeign, 'foreign'],
    ];
  });
  metrics.add(edgeMetrics.upgrades, () => readingsOf(counters.upgrades));
  metrics.add(edgeMetrics.requests, () => readingsOf(counters.requests));
  metrics.add(edgeMetrics.retries, () => readingsOf(counters.retries));
  metrics.add(edgeMetrics.closes, () => readingsOf(counters.closes));
  metrics.add(edgeMetrics.bytes, () => [
    [counters.bytesToClients, 'to-client'],
    [counters.bytesToBackends, 'to-backend'],
  ]);
  metrics.add(edgeMetrics.movedUsers, () => upstream.migration.moved);
  metrics.add(edgeMetrics.movingUsers, () => upstream.migration.waiting);
  metrics.add(edgeMetrics.foreignUsers, () => upstream.migration.foreign);
}
