import { randomBytes } from 'node:crypto';
import { type Log, type Membership, type RingTrackerOptions, silentLog } from '@pinwheel/membership';
import { checkWhole, maxMessageBytes, PinwheelError } from '@pinwheel/protocol';
import { isMemberId, isWeight, maxWeight, minWeight, type RingSettings, ringSettings } from '@pinwheel/ring';
import { defaultMaxRssBytes, isLoopback, mostHeadBytes } from '@pinwheel/server';
import { checkStrategy, ringStrategy, type Strategy } from '@pinwheel/strategy';
import type { ApiKeySource, CertificateSource, KeySource } from '@pinwheel/trust';
import type { Application } from './application/application.js';

export interface NodeOptions extends Application {
  /** Id in the ring, `[A-Za-z0-9._:-]{1,64}`. */
  readonly id: string;
  /** Where the others reach this node; default 127.0.0.1. It binds here too, unless `bindHost` is given. */
  readonly host?: string;
  /** Default: `host`. */
  readonly bindHost?: string;
  /** Internal port: API, health, metrics. Default 0: a free one. */
  readonly port?: number;
  /** Where WebSockets are served. Default 0: a free one. */
  readonly wsPort?: number;
  /** Share of users relative to the others, 0.01–100; default 1. */
  readonly weight?: number;
  /** Where the members come from. The node enters itself and does not close it. */
  readonly membership: Membership;
  /**
   * How messages find their users; default: by the ring. It must be what the senders have. The node does not close its
   * queue.
   */
  readonly strategy?: Strategy;
  /** Must be what every other process of the service has. Default: xxhash32, 512 virtual nodes. */
  readonly ringSettings?: Partial<RingSettings>;
  /** How the ring follows its members; see the tracker's options. */
  readonly tracking?: Omit<RingTrackerOptions, 'membership' | 'settings' | 'log'>;
  /**
   * The pace at which users are sent on after a ring change, in users per second; default 500. Higher is over
   * sooner, lower is gentler to whoever takes the users in.
   */
  readonly usersPerSecond?: number;
  /**
   * How long a session whose connection is gone can be resumed, in ms; default 60,000. Longer bridges longer tunnels
   * and costs memory: its messages are kept.
   */
  readonly resumeWindowMs?: number;
  /**
   * Messages that are kept for one user; default 256. More bridge longer absences and slower acknowledgements, and cost
   * memory. At the bound the oldest goes when somebody reads along, else the new one is `overloaded`.
   */
  readonly maxInboxMessages?: number;
  /** The same in bytes, about 30 a message beside its data; default 262,144. */
  readonly maxInboxBytes?: number;
  /** Memory for the inboxes of all users, in bytes; default 268,435,456. */
  readonly maxInboxTotalBytes?: number;
  /**
   * A link whose edge is silent for so long is given up, in ms; default 6000, the same at the edges. Shorter notices a
   * dead edge sooner and takes a slow one for dead. A process that stood still for half of it asks before it delivers.
   */
  readonly keepAliveMs?: number;
  /** Bytes that a link may have unread; default 67,108,864. Above it messages wait in their inboxes. */
  readonly maxLinkUnreadBytes?: number;
  /** Longest time that a drain may take, in ms; default 60,000. Who is left then is sent on at once. */
  readonly drainMs?: number;
  /**
   * Bytes that a session may have unread; default 1,048,576. Messages beyond it are `overloaded`. More bridges
   * slower clients and costs memory, per session.
   */
  readonly maxUnreadBytes?: number;
  /** A session at its bound for so long is closed with 4002, in ms; default 10,000. */
  readonly stalledMs?: number;
  /** Largest message that a client may send, in bytes; default 65,536. A larger one closes the client with 4503. */
  readonly maxInboundBytes?: number;
  /** Messages of one user that may wait for the application; default 256. More close the client with 4003. */
  readonly maxInboundPerUser?: number;
  /** Bytes of all users together that may wait for the application; default 67,108,864. */
  readonly maxInboundTotalBytes?: number;
  /**
   * Clients at one time at `wsPort`, those among them that are being looked at; past it upgrades are answered 503.
   * Default 100,000, or as many as the open files of the process leave room for, if that is less. Clients that come by
   * links count at their edge. Higher: more memory, about 5 KB each.
   */
  readonly maxConnections?: number;
  /** Clients of one user at one time at `wsPort`; past it upgrades are answered 429. 0: no bound. Default 1,000. */
  readonly maxConnectionsPerUser?: number;
  /**
   * Messages a second from one client at `wsPort`, pings and pongs among them; one that sends more is closed with 4007.
   * One second's worth may come at once. 0: no bound. Default 1,000.
   */
  readonly messagesPerSecond?: number;
  /** The same in bytes; no less than the largest message, which is not taken otherwise. Default 4,194,304. */
  readonly bytesPerSecond?: number;
  /**
   * Resident memory at which no new clients are taken at `wsPort`, in bytes; they are answered 503, and `/readyz` says so,
   * until there is 5 % less. Default: four fifths of the container's or the machine's. Links and calls go on: what they
   * keep has bounds of its own.
   */
  readonly maxRssBytes?: number;
  /**
   * Time that a client has at `wsPort` to send the head of a request, from when it has connected, in ms; then the connection
   * ends. 8,000 or more are 8 to 12 s. With less, a request that names a `content-length` or a `transfer-encoding` gets no
   * answer: its connection ends. Default 10,000.
   */
  readonly headTimeoutMs?: number;
  /** Target and headers of an upgrade at `wsPort` together, in bytes; a longer head is answered 431. Default 16,384. */
  readonly maxHeadBytes?: number;
  /** A client that is silent for so long is gone, pings included, in seconds; default 120, at least 8. */
  readonly idleTimeoutSeconds?: number;
  /** Time of a request that does not say how much it has, in ms; default 5000. */
  readonly deadlineMs?: number;
  /**
   * Longest time that a message may take through another node, in ms; default 1000. The other messages of its
   * batch wait for it.
   */
  readonly forwardTimeoutMs?: number;
  /** Messages that may be on their way through other nodes; default 65,536. More are `overloaded`. */
  readonly maxForwarding?: number;
  /**
   * The keys that the processes of the service share: calls and links without a proof are refused, health and metrics
   * excepted. The node does not close them.
   */
  readonly keys?: KeySource;
  /**
   * Clients connect to `wsPort` with TLS, version 1.2 or later: `wss:`. The internal port stays plain. The node does not
   * close it.
   */
  readonly tls?: CertificateSource;
  /**
   * The keys of callers that are no processes of the service, each with what it may do; needs `keys`, by which the
   * others are known. The node does not close them.
   */
  readonly apiKeys?: ApiKeySource;
  /**
   * Port for operators: health, metrics, the ring, the moves, the drain; 0 takes a free one. Without it there is none.
   * API keys reach these there only; processes with `keys` on `port`, too.
   */
  readonly adminPort?: number;
  /** Where the admin port listens. Default 127.0.0.1. */
  readonly adminHost?: string;
  /**
   * Takes calls and links without proof on any address. Default `false`: without `keys` a node listens on a loopback
   * address only, because whoever reaches it can send to everybody.
   */
  readonly allowInsecure?: boolean;
  readonly log?: Log;
}

type Defaulted = Required<
  Omit<
    NodeOptions,
    keyof Application | 'membership' | 'ringSettings' | 'tracking' | 'keys' | 'apiKeys' | 'adminPort' | 'tls'
  >
>;

/** Options with every default filled in. */
export interface CheckedNodeOptions extends Defaulted {
  readonly membership: Membership;
  readonly ringSettings: RingSettings;
  readonly tracking: NonNullable<NodeOptions['tracking']>;
  readonly application: Application;
  readonly keys: KeySource | undefined;
  readonly tls: CertificateSource | undefined;
  readonly apiKeys: ApiKeySource | undefined;
  readonly adminPort: number | undefined;
  /** Random at start. */
  readonly incarnation: string;
}

/** @throws PinwheelError `bad-option` that names the option, the value and the bound. */
export function checkNodeOptions(options: NodeOptions): CheckedNodeOptions {
  const { onConnect, onMessage, onSend, onDisconnect } = options;
  const host = options.host ?? '127.0.0.1';
  const checked: CheckedNodeOptions = {
    id: options.id,
    host,
    bindHost: options.bindHost ?? host,
    port: options.port ?? 0,
    wsPort: options.wsPort ?? 0,
    weight: options.weight ?? 1,
    membership: options.membership,
    strategy: checkStrategy(options.strategy ?? ringStrategy),
    ringSettings: checkSettings(options.ringSettings ?? {}),
    tracking: options.tracking ?? {},
    usersPerSecond: options.usersPerSecond ?? 500,
    resumeWindowMs: options.resumeWindowMs ?? 60_000,
    maxInboxMessages: options.maxInboxMessages ?? 256,
    maxInboxBytes: options.maxInboxBytes ?? 262_144,
    maxInboxTotalBytes: options.maxInboxTotalBytes ?? 268_435_456,
    keepAliveMs: options.keepAliveMs ?? 6000,
    maxLinkUnreadBytes: options.maxLinkUnreadBytes ?? 67_108_864,
    drainMs: options.drainMs ?? 60_000,
    maxUnreadBytes: options.maxUnreadBytes ?? 1_048_576,
    stalledMs: options.stalledMs ?? 10_000,
    maxInboundBytes: options.maxInboundBytes ?? 65_536,
    maxInboundPerUser: options.maxInboundPerUser ?? 256,
    maxInboundTotalBytes: options.maxInboundTotalBytes ?? 67_108_864,
    maxConnections: options.maxConnections ?? 100_000,
    maxConnectionsPerUser: options.maxConnectionsPerUser ?? 1000,
    messagesPerSecond: options.messagesPerSecond ?? 1000,
    bytesPerSecond: options.bytesPerSecond ?? 4_194_304,
    maxRssBytes: options.maxRssBytes ?? defaultMaxRssBytes(),
    headTimeoutMs: options.headTimeoutMs ?? 10_000,
    maxHeadBytes: options.maxHeadBytes ?? mostHeadBytes,
    idleTimeoutSeconds: options.idleTimeoutSeconds ?? 120,
    deadlineMs: options.deadlineMs ?? 5000,
    forwardTimeoutMs: options.forwardTimeoutMs ?? 1000,
    maxForwarding: options.maxForwarding ?? 65_536,
    keys: options.keys,
    tls: options.tls,
    apiKeys: options.apiKeys,
    adminPort: options.adminPort,
    adminHost: options.adminHost ?? '127.0.0.1',
    allowInsecure: options.allowInsecure ?? false,
    log: options.log ?? silentLog,
    application: {
      ...(onConnect === undefined ? {} : { onConnect }),
      ...(onMessage === undefined ? {} : { onMessage }),
      ...(onSend === undefined ? {} : { onSend }),
      ...(onDisconnect === undefined ? {} : { onDisconnect }),
    },
    incarnation: randomBytes(8).toString('hex'),
  };
  if (!isMemberId(checked.id)) {
    throw bad(
      `id is ${JSON.stringify(checked.id)}; it must be 1 to 64 of the characters A-Z a-z 0-9 . _ : - and not __proto__`,
    );
  }
  if (wildcards.has(host)) {
    throw bad(
      `host is ${host}; others must be able to connect to host: use bindHost ${host} to listen everywhere`,
    );
  }
  const { bindHost, adminHost, adminPort, keys, apiKeys, allowInsecure } = checked;
  if (apiKeys !== undefined && keys === undefined) {
    throw bad('there are apiKeys and no keys: edges and other nodes could not prove who they are; give keys');
  }
  for (const [name, address] of [
    ['bindHost', bindHost],
    ['adminHost', adminHost],
  ] as const) {
    if (keys !== undefined || allowInsecure || isLoopback(address)) continue;
    throw bad(
      `${name} is ${address} and there are no keys: anybody who reaches it could send to everybody; give keys, listen on 127.0.0.1, or set allowInsecure`,
    );
  }
  if (!isWeight(checked.weight)) {
    throw bad(`weight is ${checked.weight}; it must be between ${minWeight} and ${maxWeight}`);
  }
  if (adminPort !== undefined) checkWhole('adminPort', adminPort, 0, 65_535);
  for (const [name, least, most] of bounds) checkWhole(name, checked[name], least, most);
  return checked;
}

const wildcards: ReadonlySet<string> = new Set(['0.0.0.0', '::', '0:0:0:0:0:0:0:0', '[::]']);
const day = 86_400_000;
type WholeNumber = Exclude<
  {
    [Name in keyof CheckedNodeOptions]: CheckedNodeOptions[Name] extends number ? Name : never;
  }[keyof CheckedNodeOptions],
  'weight'
>;
const bounds: readonly (readonly [WholeNumber, number, number])[] = [
  ['port', 0, 65_535],
  ['wsPort', 0, 65_535],
  ['usersPerSecond', 1, 1_000_000],
  ['resumeWindowMs', 0, day],
  ['maxInboxMessages', 1, 65_536],
  // in JSON, a user's messages must fit into one call to its next holder
  ['maxInboxBytes', 1024, 16_777_216],
  ['maxInboxTotalBytes', 65_536, 2 ** 36],
  ['keepAliveMs', 100, 600_000],
  ['maxLinkUnreadBytes', 65_536, 1_073_741_824],
  ['drainMs', 0, day],
  ['maxUnreadBytes', 1024, 1_073_741_824],
  ['stalledMs', 1, day],
  ['maxInboundBytes', 1, 16 * maxMessageBytes],
  ['maxInboundPerUser', 1, 1_000_000],
  ['maxInboundTotalBytes', 1024, 2 ** 34],
  ['maxConnections', 1, 10_000_000],
  ['maxConnectionsPerUser', 0, 10_000_000],
  ['messagesPerSecond', 0, 1_000_000_000],
  ['bytesPerSecond', 0, 2 ** 40],
  ['maxRssBytes', 16_777_216, 2 ** 50],
  ['headTimeoutMs', 100, 300_000],
  ['maxHeadBytes', 1024, mostHeadBytes],
  ['idleTimeoutSeconds', 8, 960],
  ['deadlineMs', 1, 60_000],
  ['forwardTimeoutMs', 1, 60_000],
  ['maxForwarding', 1, 16_777_216],
];

function checkSettings(settings: Partial<RingSettings>): RingSettings {
  try {
    return ringSettings(settings);
  } catch (cause) {
    throw new PinwheelError('bad-option', (cause as Error).message, { cause });
  }
}

function bad(why: string): PinwheelError {
  return new PinwheelError('bad-option', why);
}
