import { defaultHolderLimits, type HolderLimits } from '@pinwheel/holder';

/** Who is there at the beginning, and by which times and bounds everybody goes. Part of a schedule: plain data. */
export interface Setup {
  /** Decides what the network and everybody's dice do. */
  readonly seed: number;
  readonly nodes: readonly string[];
  readonly edges: readonly string[];
  readonly senders: readonly string[];
  readonly clients: readonly ClientSetup[];
  readonly limits: HolderLimits;
  readonly edgeKeepAliveMs: number;
  readonly usersPerSecond: number;
  /** Time of a call between nodes, and of a claim, in ms. */
  readonly callMs: number;
  readonly claimMs: number;
  readonly drainMs: number;
  readonly windowMs: number;
  readonly mostRings: number;
  /** Longest time that the application takes for a message, in ms; 0: it is done at once. */
  readonly applicationMs: number;
  /** Bounds are so tight that messages are lost by them. */
  readonly isTight: boolean;
  /** Longest time until a process has heard of a change of the membership, in ms. */
  readonly lateMs: number;
  /** Nothing befalls anybody that would excuse a move for taking longer than its pace. */
  readonly isCalm: boolean;
}

export interface ClientSetup {
  readonly name: string;
  readonly user: string;
  readonly speech: 'v1' | 'plain';
}

export const calmSetup: Setup = {
  seed: 1,
  nodes: ['n1', 'n2', 'n3'],
  edges: ['e1'],
  senders: ['s1'],
  clients: [],
  limits: defaultHolderLimits,
  edgeKeepAliveMs: 6000,
  usersPerSecond: 500,
  callMs: 5000,
  claimMs: 10_000,
  drainMs: 20_000,
  windowMs: 120_000,
  mostRings: 8,
  applicationMs: 0,
  isTight: false,
  lateMs: 4000,
  isCalm: false,
};
