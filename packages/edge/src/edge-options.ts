import type { Log, Membership, RingTracker, RingTrackerOptions } from '@pinwheel/membership';
import { silentLog } from '@pinwheel/membership';
import { maxMessageBytes, PinwheelError } from '@pinwheel/protocol';
import type { RingSettings } from '@pinwheel/ring';
import { type ApiKeySource, type CertificateSource, checkAuthorities, type KeySource } from '@pinwheel/trust';
import {
  type AdmissionOptions,
  type ResolvedAdmission,
  resolveAdmission,
} from './admission/admission-options.js';

import { type LimitOptions, type ResolvedLimits, resolveLimits } from './limits/limit-options.js';

/** Where an edge gets its ring from: a tracker that somebody else started and closes, or a source of its own. */
export type RingSource =
  | { readonly tracker: RingTracker }
  | {
      readonly membership: Membership;
      /** Must be what every other process of the service has. Default: xxhash32, 512 virtual nodes. */
      readonly ringSettings?: Partial<RingSettings>;
      /** How the ring follows its members; see the tracker's options. */
      readonly tracking?: Omit<RingTrackerOptions, 'membership' | 'settings' | 'log'>;
    };

interface EdgeSettings extends AdmissionOptions, LimitOptions {
  /** 1–64 of `A-Za-z0-9._:-`; backends read it in `pinwheel-edge`. */
  readonly id: string;
  /**
   * Address to listen on. Default `127.0.0.1`. Any other than a loopback address is refused with `auth: 'none'`,
   * unless `allowAnonymous` says that it is meant.
   */
  readonly host?: string;
  /** Port for clients; 0 takes a free one. Default 0. */
  readonly port?: number;
  /**
   * Address of the admin server. Default `127.0.0.1`. On any other that is no loopback address, an edge without `keys` and
   * `apiKeys` answers there for health and metrics only.
   */
  readonly adminHost?: string;
  /** Port of the admin server; 0 takes a free one. Without it there is none. */
  readonly adminPort?: number;
  /**
   * Paths that take WebSocket upgrades: exact, or a prefix when it ends in `*` (`/socket.io/*`). Default `/ws`.
   * Plain HTTP requests are not bound to them.
   */
  readonly path?: string | readonly string[];
  /**
   * How an edge reaches what is behind it. `link`: Pinwheel nodes, one connection for all clients of a node, and clients
   * stay connected when their user moves. `tunnel`: any WebSocket or HTTP server, one backend connection per client, byte
   * for byte. Default `link`.
   */
  readonly upstream?: 'link' | 'tunnel';
  /**
   * Tunnels: users of foreign backends that are moved each second after a ring change. Default 500. Higher: the change is
   * over sooner. Lower: the backends and the clients' reconnections cause a smaller peak.
   */
  readonly usersPerSecond?: number;
  /**
   * Links: sessions that have lost their node and are attached again each second. Default 5,000. Higher: they are back
   * sooner. Lower: the nodes that take them in have a smaller peak.
   */
  readonly attachesPerSecond?: number;
  /**
   * Time that a drain takes at most, in ms, and over which clients are told to come back. Default 10,000.
   * Longer: the other edges see a lower peak. Shorter: clients are away for less time, a stop is quicker.
   */
  readonly drainMs?: number;
  /**
   * Tunnels: time from an upgrade to its answer, a second try included, in ms. Default 5,000. Longer: a slow backend still
   * gets its clients. Shorter: clients of a dead one learn of it sooner.
   */
  readonly handshakeTimeoutMs?: number;
  /**
   * Tunnels: time for each step of a close: until a backend that was told has ended (one that is silent gets at most a second of
   * it), until its stream is at a frame boundary, and from the close frame to the end of both sockets; in ms. The same
   * time passes before the clients of a node that has left the members are closed. Default 5,000. Longer: slow clients
   * still read why. Shorter: fewer sockets linger.
   */
  readonly closeTimeoutMs?: number;
  /**
   * Time for which a client may take nothing while something waits for it, in ms; then it is closed. Default 10,000.
   * Tunnels: time in which it has to take all that waits, default 30,000; it should be longer than the nodes' own.
   * Longer: what slow clients do not read is kept. Shorter: slow clients have to come back.
   */
  readonly stalledMs?: number;
  /**
   * Tunnels: time without a byte from the backend of a plain HTTP request, in ms. Default 120,000. It must be longer than the
   * longest poll. Longer: requests to a dead backend hold a socket for longer.
   */
  readonly requestTimeoutMs?: number;
  /** Links: largest message of a client, in bytes; a larger one closes it with 4503. Default 65,536. */
  readonly maxInboundBytes?: number;
  /**
   * Links: what a client may have unread, in bytes, before its node is asked to write no more. Default 65,536. Higher:
   * fewer pauses for clients on slow lines, and more memory for those that do not read.
   */
  readonly maxUnreadBytes?: number;
  /**
   * Links: a client that says nothing for so long is pinged, and closed when it does not answer, in seconds: 0 never, or
   * at least 8. Default 120. Longer: clients that vanished are noticed later. Shorter: more pings.
   */
  readonly idleTimeoutSeconds?: number;
  /**
   * Links: one on which nothing was heard for so long is closed, and its sessions wait until it is back, in ms. Default
   * 6,000; nodes have the same. Longer: a node that hangs is noticed later. Shorter: one that pauses is taken for lost.
   */
  readonly keepAliveMs?: number;
  /**
   * The keys that the processes of the service share: links and tunnels to nodes carry proofs, and the admin port asks
   * for them, health and metrics excepted. The edge does not close them.
   */
  readonly keys?: KeySource;
  /** Clients connect with TLS, version 1.2 or later: `wss:`. Without it they connect with `ws:`. The edge does not close it. */
  readonly tls?: CertificateSource;
  /** Keys of operators: the scope `admin` opens the admin port. The edge does not close them. */
  readonly apiKeys?: ApiKeySource;
  /**
   * Tunnels: backends are connected to with TLS, and must show a certificate for their address that one of these authorities
   * has signed; in PEM. Without it they are connected to without TLS. With links it is an error.
   */
  readonly backendCa?: string;
  readonly log?: Log;
}

export type EdgeOptions = EdgeSettings & RingSource;

export type ResolvedEdgeOptions = Omit<
  Required<EdgeSettings>,
  | keyof AdmissionOptions
  | keyof LimitOptions
  | 'adminPort'
  | 'path'
  | 'keys'
  | 'apiKeys'
  | 'tls'
  | 'backendCa'
> & {
  readonly admission: ResolvedAdmission;
  readonly limits: ResolvedLimits;
  readonly keys: KeySource | undefined;
  readonly tls: CertificateSource | undefined;
  readonly apiKeys: ApiKeySource | undefined;
  readonly backendCa: string | undefined;
  readonly adminPort: number | undefined;
  readonly path: readonly string[];
  readonly source: RingSource;
};

/**
 * The options with their defaults.
 *
 * @throws PinwheelError `bad-option` that names the option, its value and its bounds.
 */
export function resolveEdgeOptions(options: EdgeOptions): ResolvedEdgeOptions {
  const host = options.host ?? '127.0.0.1';
  const upstream = oneOf('upstream', options.upstream ?? 'link', ['link', 'tunnel']);
  return {
    id: memberId(options.id),
    host,
    port: whole('port', options.port ?? 0, 0, 65_535),
    adminHost: options.adminHost ?? '127.0.0.1',
    adminPort: options.adminPort === undefined ? undefined : whole('adminPort', options.adminPort, 0, 65_535),
    path: paths(options.path ?? '/ws'),
    admission: resolveAdmission(options, host),
    limits: resolveLimits(options, upstream),
    upstream,
    usersPerSecond: pacePerSecond('usersPerSecond', options.usersPerSecond ?? 500),
    attachesPerSecond: pacePerSecond('attachesPerSecond', options.attachesPerSecond ?? 5000),
    drainMs: whole('drainMs', options.drainMs ?? 10_000, 0, 86_400_000),
    handshakeTimeoutMs: whole('handshakeTimeoutMs', options.handshakeTimeoutMs ?? 5000, 10, 600_000),
    closeTimeoutMs: whole('closeTimeoutMs', options.closeTimeoutMs ?? 5000, 10, 600_000),
    stalledMs: whole(
      'stalledMs',
      options.stalledMs ?? (upstream === 'link' ? 10_000 : 30_000),
      10,
      3_600_000,
    ),
    requestTimeoutMs: whole('requestTimeoutMs', options.requestTimeoutMs ?? 120_000, 10, 3_600_000),
    maxInboundBytes: whole('maxInboundBytes', options.maxInboundBytes ?? 65_536, 1, maxMessageBytes),
    maxUnreadBytes: whole('maxUnreadBytes', options.maxUnreadBytes ?? 65_536, 1024, 1_073_741_824),
    idleTimeoutSeconds: idleTimeout(options.idleTimeoutSeconds ?? 120),
    keepAliveMs: whole('keepAliveMs', options.keepAliveMs ?? 6000, 100, 600_000),
    keys: options.keys,
    tls: options.tls,
    apiKeys: options.apiKeys,
    backendCa: backendAuthorities(options.backendCa, upstream),
    log: options.log ?? silentLog,
    source: ringSource(options),
  };
}

/** Whoever names authorities and gets links would believe that these are encrypted. */
function backendAuthorities(pem: string | undefined, upstream: 'link' | 'tunnel'): string | undefined {
  if (pem === undefined) return undefined;
  if (upstream === 'tunnel') return checkAuthorities('backendCa', pem);
  throw new PinwheelError(
    'bad-option',
    'backendCa is given, but links are never encrypted; leave it out, or take tunnels (upstream)',
  );
}

/** @throws PinwheelError `bad-option` for a pace that is not a number from 1 to 1,000,000. */
export function pacePerSecond(name: string, value: unknown): number {
  return whole(name, value, 1, 1_000_000);
}

function ringSource(options: RingSource): RingSource {
  if ('tracker' in options) return { tracker: options.tracker };
  if ('membership' in options) {
    const { membership, ringSettings = {}, tracking = {} } = options;
    return { membership, ringSettings, tracking };
  }
  throw new PinwheelError('bad-option', 'neither tracker nor membership is given; an edge needs one of them');
}

function memberId(id: string): string {
  if (typeof id === 'string' && /^[A-Za-z0-9._:-]{1,64}$/.test(id)) return id;
  throw new PinwheelError('bad-option', `id is ${JSON.stringify(id)}; it must be 1 to 64 of A-Za-z0-9._:-`);
}

function whole(name: string, value: unknown, least: number, most: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
  throw new PinwheelError(
    'bad-option',
    `${name} is ${String(value)}; it must be a whole number from ${least} to ${most}`,
  );
}

/** uWebSockets.js knows no idle time between 0 and 8 s, and none above 960 s. */
function idleTimeout(seconds: number): number {
  if (seconds === 0 || (Number.isInteger(seconds) && seconds >= 8 && seconds <= 960)) return seconds;
  throw new PinwheelError(
    'bad-option',
    `idleTimeoutSeconds is ${seconds}; it must be 0 or a whole number from 8 to 960`,
  );
}

function oneOf<T extends string>(name: string, value: T, allowed: readonly T[]): T {
  if (allowed.includes(value)) return value;
  throw new PinwheelError(
    'bad-option',
    `${name} is ${String(value)}; it must be one of ${allowed.join(', ')}`,
  );
}

function paths(path: string | readonly string[]): readonly string[] {
  const all = typeof path === 'string' ? [path] : [...path];
  const wrong = all.length === 0 ? '' : all.find((one) => !/^\/[^?#*\s]*\*?$/.test(one));
  if (wrong === undefined) return all;
  throw new PinwheelError(
    'bad-option',
    `path is ${JSON.stringify(wrong)}; it must begin with / and may end in *, without ? and #`,
  );
}
