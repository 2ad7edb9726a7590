import { addRingMetrics, createRingTracker, type RingTracker } from '@pinwheel/membership';
import { Metrics } from '@pinwheel/metrics';
import type { MigrationChange } from '@pinwheel/migration';
import { ClientLimits } from '@pinwheel/server';
import { addCertificateMetrics } from '@pinwheel/trust';
import { type Admin, startAdmin } from './admin/admin.js';
import { AdminAccess } from './admin/admin-access.js';
import { openAdmissions } from './admission/open-admissions.js';
import {
  type EdgeOptions,
  pacePerSecond,
  type ResolvedEdgeOptions,
  resolveEdgeOptions,
} from './edge-options.js';
import { LinkUpstream } from './link-sockets/link-upstream.js';
import { measureEdge } from './measure-edge.js';
import { edgeCounters } from './metrics/edge-counters.js';
import { TunnelUpstream } from './tunnel/tunnel-upstream.js';
import type { EdgeMigrationStatus, Upstream, UpstreamStatus } from './upstream.js';

/** Holds clients' sockets and pins each to the node that has its user. */
export interface Edge {
  readonly id: string;
  /** Where clients connect. */
  readonly port: number;
  /** Missing when no admin port was asked for. */
  readonly adminPort?: number;
  readonly status: UpstreamStatus;
  readonly migration: EdgeMigrationStatus;
  /** Resolves when a drain is over, whoever asked for it. */
  readonly drained: Promise<void>;
  /** Pauses or resumes the moves, or sets their rate. */
  migrate(change: MigrationChange): void;
  /** All metrics as Prometheus text. */
  metrics(): Promise<string>;
  /**
   * Leaves in order: `/readyz` says 503, the port is closed, every client is told when to come back, spread over `drainMs`,
   * 30 s at most, and when all are gone, or after `drainMs`, everything is closed but the admin port: call `close` for that.
   * May be called twice; both calls resolve together.
   */
  drain(): Promise<void>;
  /** Closes everything now, cutting clients off. May be called twice, and during a drain. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts an edge: resolves when it takes clients. With `tracker` that tracker must have been started, and stays the
 * caller's to close; with `membership` the edge has a tracker of its own, and closes it, but not the membership.
 *
 * @throws PinwheelError `bad-option`, `listen`, or what the tracker's start says.
 */
export async function createEdge(options: EdgeOptions): Promise<Edge> {
  const resolved = resolveEdgeOptions(options);
  const own = ownTracker(resolved);
  const tracker = 'tracker' in resolved.source ? resolved.source.tracker : own!;
  try {
    await own?.start();
    return await start(resolved, tracker, async () => own?.close());
  } catch (thrown) {
    await own?.close();
    throw thrown;
  }
}

function ownTracker({ source, log }: ResolvedEdgeOptions): RingTracker | undefined {
  if ('tracker' in source) return undefined;
  const { membership, ringSettings, tracking } = source;
  return createRingTracker({ ...tracking, membership, settings: ringSettings ?? {}, log });
}

type Phase = 'open' | 'draining' | 'closed';

async function start(
  options: ResolvedEdgeOptions,
  tracker: RingTracker,
  closeTracker: () => Promise<void>,
): Promise<Edge> {
  const { id, log, adminHost, adminPort } = options;
  const counters = edgeCounters();
  const metrics = new Metrics();
  addRingMetrics(metrics, tracker);
  const limits = new ClientLimits({
    bounds: options.limits,
    maxRssBytes: options.limits.maxRssBytes,
    // a tunnel has a connection of its own to the backend
    filesPerClient: options.upstream === 'link' ? 1 : 2,
    counters: counters.limits,
    log,
  });
  const { places, sockets } = limits;
  const admissions = await openAdmissions(options.admission, counters.admission, log);
  const shared = { ...options, tracker, admissions, counters, places, sockets };
  const upstream: Upstream =
    options.upstream === 'link' ? new LinkUpstream(shared) : new TunnelUpstream(shared);
  const access = new AdminAccess({ ...options, self: id, host: adminHost });
  measureEdge(metrics, counters, { upstream, access, limits });
  if (options.tls !== undefined) addCertificateMetrics(metrics, options.tls);
  let resolveDrained: () => void = () => {};
  const drained = new Promise<void>((resolve) => {
    resolveDrained = resolve;
  });
  let phase: Phase = 'open';
  let admin: Admin | undefined;

  const unsubscribe = tracker.subscribe((current) => upstream.ringChanged(current));
  const drain = async (): Promise<void> => {
    if (phase === 'open') {
      phase = 'draining';
      log.info({ edge: id, connections: upstream.status.connections }, 'the edge drains');
    }
    await upstream.drain();
    resolveDrained();
  };
  const close = async (): Promise<void> => {
    phase = 'closed';
    unsubscribe();
    admissions.close();
    limits.close();
    await Promise.all([upstream.close(), admin?.close()]);
    metrics.close();
    await closeTracker();
  };
  const notReady = (): string | undefined => {
    if (phase !== 'open') return 'the edge is draining';
    if (limits.whyFull !== undefined) return limits.whyFull;
    if (tracker.current.ring.size === 0) return 'the ring has no members';
    return admissions.lacks?.();
  };

  try {
    const port = await upstream.listen();
    if (adminPort !== undefined) {
      const asked = { id, access, tracker, upstream, metrics, notReady, drain };
      admin = await startAdmin(asked, adminHost, adminPort);
    }
    log.info({ edge: id, host: options.host, port, adminPort: admin?.port }, 'the edge takes clients');
    if (tracker.current.ring.size === 0) warnOfNobody(options);
    return {
      id,
      port,
      ...(admin === undefined ? {} : { adminPort: admin.port }),
      get status() {
        return upstream.status;
      },
      get migration() {
        return upstream.migration;
      },
      migrate: (change) => upstream.migrate(checked(change)),
      metrics: () => metrics.text(),
      drained,
      drain,
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

function warnOfNobody({ id, log, source }: ResolvedEdgeOptions): void {
  const from = 'membership' in source ? { source: source.membership.description } : {};
  log.warn(
    { edge: id, ...from },
    'the service has no members yet, and every client gets 503 until it has; is the name of the service right?',
  );
}

function checked(change: MigrationChange): MigrationChange {
  if (change.usersPerSecond !== undefined) pacePerSecond('usersPerSecond', change.usersPerSecond);
  return change;
}
