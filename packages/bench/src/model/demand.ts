import { PinwheelError } from '@pinwheel/protocol';

/** What is asked of a cluster, and of what machines it is made. */
export interface Demand {
  /** Connected at the same time. */
  readonly users: number;
  readonly nodes: number;
  /** 0: clients connect to the nodes themselves. */
  readonly edges: number;
  readonly messagesPerSecond: number;
  readonly payloadBytes: number;
  readonly coresPerMachine: number;
  /** In each direction, of a machine. */
  readonly networkGbitPerSecond: number;
  /** Cores that the queue may fill: one for each Redis. */
  readonly queueCores: number;
  readonly maxConnectionsPerProcess: number;
  /** How long a route in the registry lives; a third of it is the time between two renewals. */
  readonly leaseSeconds: number;
}

/** As a caller has it: what is left out is as in `usualDemand`. */
export type GivenDemand = Pick<Demand, 'users' | 'nodes' | 'edges' | 'messagesPerSecond'> & Partial<Demand>;

export const usualDemand = {
  payloadBytes: 128,
  coresPerMachine: 8,
  networkGbitPerSecond: 10,
  queueCores: 1,
  maxConnectionsPerProcess: 1_000_000,
  leaseSeconds: 30,
} as const satisfies Partial<Demand>;

interface Bound {
  readonly option: string;
  readonly least: number;
  readonly most: number;
  readonly isWhole: boolean;
}

const bounds: Readonly<Record<keyof Demand, Bound>> = {
  users: whole('--users', 1, 1e11),
  nodes: whole('--nodes', 1, 100_000),
  edges: whole('--edges', 0, 100_000),
  messagesPerSecond: whole('--msgs-per-second', 1, 1e11),
  payloadBytes: whole('--payload', 0, 16_777_216),
  coresPerMachine: whole('--cores', 1, 1024),
  networkGbitPerSecond: { option: '--network-gbit', least: 0.001, most: 10_000, isWhole: false },
  queueCores: whole('--queue-cores', 1, 10_000),
  maxConnectionsPerProcess: whole('--max-connections', 1, 100_000_000),
  leaseSeconds: { option: '--lease', least: 1, most: 86_400, isWhole: false },
};

/**
 * @throws PinwheelError `bad-option` that names the option, its value and its bounds: `--nodes is 0; it must be a whole
 * number between 1 and 100000`.
 */
export function demandOf(given: GivenDemand): Demand {
  const demand: Demand = { ...usualDemand, ...given };
  for (const name of Object.keys(bounds) as (keyof Demand)[]) check(bounds[name], demand[name]);
  return demand;
}

function check({ option, least, most, isWhole }: Bound, value: number): void {
  // anything but a number is refused too: it may come from JSON
  const fits = isWhole ? Number.isInteger(value) : Number.isFinite(value);
  if (fits && value >= least && value <= most) return;
  const kind = isWhole ? 'a whole number' : 'a number';
  throw new PinwheelError(
    'bad-option',
    `${option} is ${String(value)}; it must be ${kind} between ${least} and ${most}`,
  );
}

function whole(option: string, least: number, most: number): Bound {
  return { option, least, most, isWhole: true };
}
