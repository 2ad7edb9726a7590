import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { EdgeCounters } from './edge-counters.js';
import { edgeMetrics, type MetricDefinition } from './edge-metrics.js';
import type { Upstream } from './upstream.js';

export interface EdgeRegistry {
  readonly registry: Registry;
  observeUpgradeSeconds(seconds: number): void;
  /** Stops measuring. May be called twice. */
  close(): void;
}

/** A value with the value of its label, or alone. */
type Reading = readonly [number] | readonly [number, string];

/** The metrics of one edge, in a registry of its own: the counters are copied when somebody asks. */
export function createEdgeRegistry(counters: EdgeCounters, upstream: () => Upstream): EdgeRegistry {
  const registry = new Registry();
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  const add = (definition: MetricDefinition, read: () => readonly Reading[]): void => {
    addMetric(registry, definition, read);
  };

  add(edgeMetrics.connections, () => [[upstream().status.connections]]);
  add(edgeMetrics.tunnels, () => {
    const { tunnelsToNodes, tunnelsToForeign } = upstream().status;
    return [
      [tunnelsToNodes, 'node'],
      [tunnelsToForeign, 'foreign'],
    ];
  });
  add(edgeMetrics.upgrades, () => readings(counters.upgrades));
  add(edgeMetrics.requests, () => readings(counters.requests));
  add(edgeMetrics.retries, () => readings(counters.retries));
  add(edgeMetrics.closes, () => readings(counters.closes));
  add(edgeMetrics.bytes, () => [
    [counters.bytesToClients, 'to-client'],
    [counters.bytesToBackends, 'to-backend'],
  ]);
  add(edgeMetrics.movedUsers, () => [[upstream().migration.moved]]);
  add(edgeMetrics.movingUsers, () => [[upstream().migration.waiting]]);
  add(edgeMetrics.foreignUsers, () => [[upstream().migration.foreign]]);
  add(edgeMetrics.eventLoopDelay, () => delayReadings(delay));

  const { name, help } = edgeMetrics.upgradeSeconds;
  const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
  const upgradeSeconds = new Histogram({ name, help, buckets, registers: [registry] });
  return {
    registry,
    observeUpgradeSeconds: (seconds) => upgradeSeconds.observe(seconds),
    close: () => delay.disable(),
  };
}

function addMetric(registry: Registry, definition: MetricDefinition, read: () => readonly Reading[]): void {
  const { name, help } = definition;
  const [label] = Object.keys(definition.labels);
  const common = { name, help, labelNames: label === undefined ? [] : [label], registers: [registry] };
  const labelled = (value: string | undefined): Record<string, string> =>
    label === undefined || value === undefined ? {} : { [label]: value };
  if (definition.type === 'counter') {
    new Counter({
      ...common,
      collect() {
        this.reset();
        for (const [value, of] of read()) this.inc(labelled(of), value);
      },
    });
  } else {
    new Gauge({
      ...common,
      collect() {
        for (const [value, of] of read()) this.set(labelled(of), value);
      },
    });
  }
}

function readings(counts: Readonly<Record<string, number>>): readonly Reading[] {
  return Object.entries(counts).map(([label, count]) => [count, label] as const);
}

function delayReadings(delay: IntervalHistogram): readonly Reading[] {
  const seconds = (nanoseconds: number): number => (Number.isFinite(nanoseconds) ? nanoseconds / 1e9 : 0);
  const read = [
    [seconds(delay.percentile(50)), '0.5'],
    [seconds(delay.percentile(99)), '0.99'],
    [seconds(delay.max), '1'],
  ] as const;
  delay.reset();
  return read;
}
