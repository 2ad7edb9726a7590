import type { BlockList } from 'node:net';
import { checkWhole } from '@pinwheel/protocol';
import { type ConnectionBounds, defaultMaxRssBytes, mostHeadBytes } from '@pinwheel/server';
import { proxyList } from './trusted-proxies.js';

/** How much an edge takes, from all clients together and from each. */
export interface LimitOptions {
  /**
   * Clients at one time, those among them that are being looked at; past it upgrades are answered 503. With tunnels a plain
   * request counts as one while it is answered, here and in the next ones. Default 100,000, or as many as the open files of
   * the process leave room for, if that is less.
   * Higher: more memory, about 5 KB each with links (in edge and node) and 30 KB with tunnels, and what they have unread.
   */
  readonly maxConnections?: number;
  /**
   * Clients of one user at one time; past it upgrades are answered 429. 0: no bound. Default 1,000. Higher: a message
   * to such a user is written more often. Lower: somebody with many devices is refused.
   */
  readonly maxConnectionsPerUser?: number;
  /**
   * Clients from one address at one time, those among them that are being looked at; past it upgrades are answered 429.
   * An IPv6 address counts by its first 64 bits. 0: no bound, and the default, because many people may share an
   * address, and behind a proxy that is not in `trustedProxies` everybody has the proxy's.
   */
  readonly maxConnectionsPerAddress?: number;
  /**
   * Addresses and networks of proxies in front of this edge, as `10.0.0.0/8`. The address of a client that comes through
   * them is the last one in `x-forwarded-for` that is not one of theirs. Default: none, and the header is not read.
   */
  readonly trustedProxies?: readonly string[];
  /**
   * New clients a second; those beyond it are answered 503. One second's worth may come at once. 0: no bound. Default
   * 10,000. Lower: after an incident it takes longer until all are back, and those that are there feel less of it.
   */
  readonly connectsPerSecond?: number;
  /**
   * Messages a second from one client; one that sends more is closed with 4007. One second's worth may come at once.
   * Pings and pongs count as messages; on tunnels every WebSocket frame counts. 0: no bound. Default 1,000, with tunnels 0.
   */
  readonly messagesPerSecond?: number;
  /**
   * The same in bytes. It should be no less than the largest message, which is not taken otherwise. 0: no bound.
   * Default 4,194,304, with tunnels 0: there the backend holds back a client that is too fast.
   */
  readonly bytesPerSecond?: number;
  /** The same as `messagesPerSecond` for all clients of a user together: the one whose message is too many is closed. Default 0. */
  readonly messagesPerSecondPerUser?: number;
  /** The same in bytes. Default 0. */
  readonly bytesPerSecondPerUser?: number;
  /**
   * Resident memory at which no new clients are taken, in bytes; they are answered 503, and `/readyz` says so, until there
   * is 5 % less. Default: four fifths of the container's or the machine's. Higher: the system may end the process instead.
   */
  readonly maxRssBytes?: number;
  /**
   * Time that a client has to send the head of a request, from when it has connected, in ms. Default 10,000. Longer: sockets
   * that say nothing are there for longer.
   * With tunnels it is answered 408 then; with TLS the handshake has as long before that.
   * With links the connection ends, with TLS the handshake is within that time, and 8,000 or more are 8 to 12 s. With less a
   * request that names a `content-length` or a `transfer-encoding`, or has something behind it, gets no answer: its
   * connection ends.
   */
  readonly headTimeoutMs?: number;
  /**
   * Target and headers of a request together, in bytes; a longer head is answered 431. Default 16,384, which is also the
   * most. Lower: less memory for whoever sends a head in parts; tokens and cookies have to be shorter.
   */
  readonly maxHeadBytes?: number;
}

export interface ResolvedLimits extends ConnectionBounds {
  readonly maxRssBytes: number;
  readonly headTimeoutMs: number;
  readonly maxHeadBytes: number;
  /** `undefined` when there are none. */
  readonly trustedProxies: BlockList | undefined;
}

const most = 1_000_000_000;

/** @throws PinwheelError `bad-option` that names the option, its value and its bounds. */
export function resolveLimits(options: LimitOptions, upstream: 'link' | 'tunnel'): ResolvedLimits {
  const whole = (name: keyof LimitOptions, fallback: number, least: number, greatest: number): number => {
    const value = (options[name] as number | undefined) ?? fallback;
    checkWhole(name, value, least, greatest);
    return value;
  };
  const isLink = upstream === 'link';
  return {
    maxConnections: whole('maxConnections', 100_000, 1, 10_000_000),
    maxConnectionsPerUser: whole('maxConnectionsPerUser', 1000, 0, 10_000_000),
    maxConnectionsPerAddress: whole('maxConnectionsPerAddress', 0, 0, 10_000_000),
    connectsPerSecond: whole('connectsPerSecond', 10_000, 0, 1_000_000),
    perConnection: {
      messagesPerSecond: whole('messagesPerSecond', isLink ? 1000 : 0, 0, most),
      bytesPerSecond: whole('bytesPerSecond', isLink ? 4_194_304 : 0, 0, 2 ** 40),
    },
    perUser: {
      messagesPerSecond: whole('messagesPerSecondPerUser', 0, 0, most),
      bytesPerSecond: whole('bytesPerSecondPerUser', 0, 0, 2 ** 40),
    },
    maxRssBytes: whole('maxRssBytes', defaultMaxRssBytes(), 16_777_216, 2 ** 50),
    headTimeoutMs: whole('headTimeoutMs', 10_000, 100, 300_000),
    maxHeadBytes: whole('maxHeadBytes', mostHeadBytes, 1024, mostHeadBytes),
    trustedProxies: proxyList(options.trustedProxies ?? []),
  };
}
