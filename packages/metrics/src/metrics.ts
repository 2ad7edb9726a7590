import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { EventLoopDelay } from './event-loop-delay.js';
import { gauge, type MetricDefinition } from './metric-definition.js';

/** A value with the value of its label, or alone. */
export type Reading = readonly [value: number, label?: string];

/** Of every process. */
export const eventLoopDelayMetric = gauge(
  'pinwheel_event_loop_delay_seconds',
  'Event-loop delay of the last one to two minutes.',
  { quantile: ['0.5', '0.99', '1'] },
);

/** Of every process that takes clients. */
export const memoryMetric = gauge(
  'pinwheel_memory_bytes',
  'Resident memory, and the bound at which no new clients are taken.',
  { of: ['resident', 'bound'] },
);

/** The same; without a bound where the system does not say how many files may be open. */
export const socketsMetric = gauge(
  'pinwheel_client_sockets',
  'Sockets of clients, and how many the limit of open files leaves room for.',
  { of: ['open', 'bound'] },
);

/** Observations between two scrapes that are kept as they are. */
const mostKept = 1024;
const buckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/**
 * The metrics of one server, in a registry of its own. What is counted often is counted in plain numbers, which are
 * read when somebody scrapes; only what is rare is observed as it happens.
 */
export class Metrics {
  readonly registry: Registry;
  readonly #delay = new EventLoopDelay();

  /** @param registry where the metrics are registered; by default one of its own. */
  constructor(registry: Registry = new Registry()) {
    this.registry = registry;
    this.add(eventLoopDelayMetric, () => this.#delay.read());
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  /** In the Prometheus text format. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  /**
   * @param read gives the counter's or gauge's value, one for each value of its label; none, as an empty list, where there
   * is nothing to measure.
   */
  add(definition: MetricDefinition, read: () => number | readonly Reading[]): void {
    const { name, help } = definition;
    const [label] = Object.keys(definition.labels);
    const common = { name, help, labelNames: label === undefined ? [] : [label], registers: [this.registry] };
    const readings = (): readonly Reading[] => {
      const value = read();
      return typeof value === 'number' ? [[value]] : value;
    };
    const labelled = (value: string | undefined): Record<string, string> =>
      label === undefined || value === undefined ? {} : { [label]: value };
    if (definition.type === 'counter') {
      new Counter({
        ...common,
        collect() {
          this.reset();
          for (const [value, of] of readings()) this.inc(labelled(of), value);
        },
      });
      return;
    }
    new Gauge({
      ...common,
      collect() {
        this.reset();
        const all = readings();
        // reset leaves a 0 where there is no label
        if (all.length === 0 && label === undefined) this.remove();
        for (const [value, of] of all) this.set(labelled(of), value);
      },
    });
  }

  /** Returns the call that observes a time, in seconds. */
  addHistogram(definition: MetricDefinition): (seconds: number) => void {
    const { name, help } = definition;
    const kept: number[] = [];
    const times = new Histogram({ name, help, buckets, registers: [this.registry], collect: () => enter() });
    const enter = (): void => {
      for (const seconds of kept) times.observe(seconds);
      kept.length = 0;
    };
    // prom-client's own work for each is as much as that of delivering a message: many at once are a tenth of it
    return (seconds) => {
      kept.push(seconds);
      if (kept.length === mostKept) enter();
    };
  }

  /** Stops measuring. May be called twice. */
  close(): void {
    this.#delay.close();
  }
}

/** A record of counts as readings, its keys as the label's values. */
export function readingsOf(
  counts: Readonly<Record<string, number>> | ReadonlyMap<string, number>,
): readonly Reading[] {
  const entries = counts instanceof Map ? [...counts] : Object.entries(counts);
  return entries.map(([label, count]) => [count, label] as const);
}
