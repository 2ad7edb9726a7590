import { PinwheelError } from '@pinwheel/protocol';
import type { KeySource } from '@pinwheel/trust';
import { AddressRule, type AddressRuleOptions } from '../member/address-rule.js';

/** All times in ms. */
export interface ConsulOptions {
  /** Name of the service that nodes register and everybody watches. */
  readonly service: string;
  /** Default 127.0.0.1: the agent on this machine. */
  readonly host?: string;
  /** Default 8500. */
  readonly port?: number;
  /** HTTPS. Default false. */
  readonly secure?: boolean;
  /** Watches only instances with this tag, and registers with it. Default: none. */
  readonly tag?: string;
  /** ACL token; it needs `service:write` for nodes, `service:read` and `node:read` for the others. */
  readonly token?: string;
  /** File with the token, read for every call. Give this or `token`. */
  readonly tokenFile?: string;
  /**
   * Lets any Consul server answer rather than the leader. Default false. True spreads the load of many watchers and
   * goes on while there is no leader; a change may be seen later, and for a moment go back.
   */
  readonly stale?: boolean;
  /**
   * How long Consul holds a query without a change. Default 10000. Longer: fewer requests; shorter: a Consul that
   * hangs is noticed sooner (after this, a sixteenth of it, and `timeoutMs`).
   */
  readonly waitMs?: number;
  /** Deadline of a call that Consul need not wait with, and slack of one that it holds. Default 2000. */
  readonly timeoutMs?: number;
  /** Bound of the first wait after a failed read; it doubles, with full jitter. Default 250. */
  readonly firstRetryMs?: number;
  /** Bound of every such wait. Default 15000. */
  readonly longestRetryMs?: number;
  /** After two reads in a row, one per this time. Default 500. Longer: joins in a burst are seen later. */
  readonly pauseMs?: number;
  /**
   * How often Consul's agent asks a node's `/healthz`. Default 1000, which is also the least Consul takes. Longer: a dead
   * node is noticed later, and nodes and agents have less work.
   */
  readonly checkIntervalMs?: number;
  /** Deadline of that question: a node that stands still for longer is taken out. Default 1000. */
  readonly checkTimeoutMs?: number;
  /** A dead node's entry is removed after this time. Default 60000, which is also the least Consul takes. */
  readonly deregisterAfterMs?: number;
  /** Deadline of `register`, `drain` and `leave`, retries included. Default 10000. */
  readonly deadlineMs?: number;
  /** How often a node looks whether its entry is still there. Default 10000. */
  readonly verifyMs?: number;
  /** Where members may be; the others are left out, and nobody dials them. Host names are refused by default. */
  readonly addresses?: AddressRuleOptions;
  /**
   * The keys that the processes of the service share: only nodes that prove that they have one are members. The
   * membership does not close them. Default: whoever is registered is one.
   */
  readonly keys?: KeySource;
}

export interface ConsulSetup
  extends Required<Omit<ConsulOptions, 'tag' | 'token' | 'tokenFile' | 'addresses' | 'keys'>> {
  readonly keys: KeySource | undefined;
  readonly addresses: AddressRule;
  readonly tag: string | undefined;
  readonly token: string | undefined;
  readonly tokenFile: string | undefined;
}

const hour = 3_600_000;

const times = {
  waitMs: { standard: 10_000, least: 100, most: 600_000 },
  timeoutMs: { standard: 2_000, least: 50, most: 60_000 },
  firstRetryMs: { standard: 250, least: 1, most: 60_000 },
  longestRetryMs: { standard: 15_000, least: 1, most: hour },
  pauseMs: { standard: 500, least: 1, most: 60_000 },
  checkIntervalMs: { standard: 1_000, least: 1_000, most: hour },
  checkTimeoutMs: { standard: 1_000, least: 50, most: hour },
  deregisterAfterMs: { standard: 60_000, least: 1_000, most: 24 * hour },
  deadlineMs: { standard: 10_000, least: 100, most: hour },
  verifyMs: { standard: 10_000, least: 100, most: hour },
} as const;

/** @throws PinwheelError `bad-option`. */
export function consulSetup(options: ConsulOptions): ConsulSetup {
  const { service, host = '127.0.0.1', port = 8500 } = options;
  if (!/^[A-Za-z0-9._-]{1,128}$/.test(service)) {
    throw bad('service', service, 'must match [A-Za-z0-9._-]{1,128}');
  }
  if (host === '' || !/^[A-Za-z0-9._:-]{1,253}$/.test(host)) {
    throw bad('host', host, 'must be a host name or an IP address');
  }
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw bad('port', port, 'must be between 1 and 65535');
  if (options.tag === '') throw bad('tag', '', 'must not be empty');
  const time = (name: keyof typeof times): number => {
    const { standard, least, most } = times[name];
    const value = options[name] ?? standard;
    if (value >= least && value <= most) return value;
    throw bad(name, value, `must be between ${least} and ${most}`);
  };
  return {
    service,
    host,
    port,
    secure: options.secure ?? false,
    tag: options.tag,
    token: options.token,
    tokenFile: options.tokenFile,
    stale: options.stale ?? false,
    waitMs: time('waitMs'),
    timeoutMs: time('timeoutMs'),
    firstRetryMs: time('firstRetryMs'),
    longestRetryMs: time('longestRetryMs'),
    pauseMs: time('pauseMs'),
    checkIntervalMs: time('checkIntervalMs'),
    checkTimeoutMs: time('checkTimeoutMs'),
    deregisterAfterMs: time('deregisterAfterMs'),
    deadlineMs: time('deadlineMs'),
    verifyMs: time('verifyMs'),
    keys: options.keys,
    addresses: new AddressRule(options.addresses ?? {}, 'consul'),
  };
}

function bad(name: string, value: unknown, bound: string): PinwheelError {
  return new PinwheelError('bad-option', `${name} is ${JSON.stringify(value)}; it ${bound}`);
}
