/** One metric as it is documented. */
export interface MetricDefinition {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** Label names, each with all the values it can have, or in words what they are. At most one label. */
  readonly labels: Readonly<Record<string, readonly string[]>>;
}

type Labels = Readonly<Record<string, readonly string[]>>;

export function counter(name: string, help: string, labels: Labels = {}): MetricDefinition {
  return { name, type: 'counter', help, labels };
}

export function gauge(name: string, help: string, labels: Labels = {}): MetricDefinition {
  return { name, type: 'gauge', help, labels };
}

/** In seconds. */
export function histogram(name: string, help: string): MetricDefinition {
  return { name, type: 'histogram', help, labels: {} };
}
