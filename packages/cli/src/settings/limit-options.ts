import { texts, whole } from './option.js';

/** How much an edge takes, from all clients together and from each. */
export const limitOptions = {
  maxConnections: whole(
    'max-connections',
    1,
    10_000_000,
    'clients at one time, or what the open files leave room for; more get 503',
    '100000',
  ),
  maxConnectionsPerUser: whole(
    'max-connections-per-user',
    0,
    10_000_000,
    'clients of one user at one time; more get 429; 0: no bound',
    '1000',
  ),
  maxConnectionsPerAddress: whole(
    'max-connections-per-address',
    0,
    10_000_000,
    'clients from one address at one time, an IPv6 one by its /64; more get 429; 0: no bound',
    '0',
  ),
  trustedProxies: texts(
    'trusted-proxies',
    'NETWORK',
    'proxies in front, as 10.0.0.0/8, whose x-forwarded-for says where clients are',
    'none',
  ),
  connectsPerSecond: whole(
    'connects-per-second',
    0,
    1_000_000,
    'new clients a second; more get 503; 0: no bound',
    '10000',
  ),
  messagesPerSecond: whole(
    'messages-per-second',
    0,
    1_000_000_000,
    'messages a second from one client, pings and pongs too, on tunnels frames; who sends more is closed with 4007; 0: no bound',
    '1000, with tunnels 0',
  ),
  bytesPerSecond: whole(
    'bytes-per-second',
    0,
    2 ** 40,
    'the same in bytes; no less than the largest message',
    '4194304, with tunnels 0',
  ),
  messagesPerSecondPerUser: whole(
    'messages-per-second-per-user',
    0,
    1_000_000_000,
    'the same for all clients of a user together',
    '0',
  ),
  bytesPerSecondPerUser: whole(
    'bytes-per-second-per-user',
    0,
    2 ** 40,
    'bytes a second from all clients of a user together',
    '0',
  ),
  maxRssBytes: whole(
    'max-rss-bytes',
    16_777_216,
    2 ** 50,
    'resident memory at which no new clients are taken, until there is 5 % less; they get 503',
    '80 % of the container’s or the machine’s',
  ),
  headTimeoutMs: whole(
    'head-timeout-ms',
    100,
    300_000,
    'time to send the head of a request, in ms; with links and at a node, 8000 and more are 8 to 12 s',
    '10000',
  ),
  maxHeadBytes: whole(
    'max-head-bytes',
    1024,
    16_384,
    'target and headers of a request together, in bytes; more get 431',
    '16384',
  ),
} as const;
