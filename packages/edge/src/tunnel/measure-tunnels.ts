import { type Metrics, readingsOf } from '@pinwheel/metrics';
import type { EdgeCounters } from '../metrics/edge-counters.js';
import { tunnelMetrics } from '../metrics/edge-metrics.js';
import type { TunnelTable } from './tunnel-table.js';

/** Has what an edge with tunnels measures read when somebody scrapes, but the times: those are observed. */
export function measureTunnels(metrics: Metrics, counters: EdgeCounters, table: TunnelTable): void {
  metrics.add(tunnelMetrics.tunnels, () => [
    [table.size - table.foreign, 'node'],
    [table.foreign, 'foreign'],
  ]);
  metrics.add(tunnelMetrics.retries, () => readingsOf(counters.retries));
  metrics.add(tunnelMetrics.closes, () => readingsOf(counters.closes));
  metrics.add(tunnelMetrics.bytes, () => [
    [counters.bytesToClients, 'to-client'],
    [counters.bytesToBackends, 'to-backend'],
  ]);
  metrics.add(tunnelMetrics.movedUsers, () => table.migration.moved);
  metrics.add(tunnelMetrics.movingUsers, () => table.migration.waiting);
  metrics.add(tunnelMetrics.foreignUsers, () => table.migration.foreign);
}
