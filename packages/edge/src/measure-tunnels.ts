import { type Metrics, readingsOf } from '@pinwheel/metrics';
import type { EdgeCounters } from './edge-counters.js';
import { edgeMetrics } from './edge-metrics.js';
import type { TunnelTable } from './tunnel-table.js';

/** Has what an edge with tunnels measures read when somebody scrapes, but the times: those are observed. */
export function measureTunnels(metrics: Metrics, counters: EdgeCounters, table: TunnelTable): void {
  metrics.add(edgeMetrics.tunnels, () => [
    [table.size - table.foreign, 'node'],
    [table.foreign, 'foreign'],
  ]);
  metrics.add(edgeMetrics.retries, () => readingsOf(counters.retries));
  metrics.add(edgeMetrics.closes, () => readingsOf(counters.closes));
  metrics.add(edgeMetrics.bytes, () => [
    [counters.bytesToClients, 'to-client'],
    [counters.bytesToBackends, 'to-backend'],
  ]);
  metrics.add(edgeMetrics.movedUsers, () => table.migration.moved);
  metrics.add(edgeMetrics.movingUsers, () => table.migration.waiting);
  metrics.add(edgeMetrics.foreignUsers, () => table.migration.foreign);
}
