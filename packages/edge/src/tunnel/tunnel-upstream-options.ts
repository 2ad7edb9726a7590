import type { Log, RingTracker } from '@pinwheel/membership';
import type { ConnectionLimits, OpenSockets } from '@pinwheel/server';
import type { CertificateSource, KeySource } from '@pinwheel/trust';
import type { Admissions } from '../admission/admission.js';
import type { ResolvedAdmission } from '../admission/admission-options.js';
import type { ResolvedLimits } from '../limits/limit-options.js';
import type { EdgeCounters } from '../metrics/edge-counters.js';

/** What the tunnels of an edge are made with; the options of the edge, and what it shares with them. */
export interface TunnelUpstreamOptions {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly path: readonly string[];
  readonly tracker: RingTracker;
  readonly keys: KeySource | undefined;
  readonly tls: CertificateSource | undefined;
  readonly backendCa: string | undefined;
  readonly admissions: Admissions;
  readonly admission: ResolvedAdmission;
  readonly usersPerSecond: number;
  readonly drainMs: number;
  readonly handshakeTimeoutMs: number;
  readonly closeTimeoutMs: number;
  readonly stalledMs: number;
  readonly requestTimeoutMs: number;
  readonly limits: ResolvedLimits;
  readonly places: ConnectionLimits;
  readonly sockets: OpenSockets;
  readonly counters: EdgeCounters;
  readonly log: Log;
}
