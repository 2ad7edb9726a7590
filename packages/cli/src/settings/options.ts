import { defaultLeaseMs, strategyNames } from '@pinwheel/strategy/strategy.js';
import { limitOptions } from './limit-options.js';
import { newKeyOptions } from './new-key-options.js';
import { choice, flag, number, type Option, text, texts, url, urls, whole } from './option.js';

const day = 86_400_000;
const http = ['http:', 'https:'];

/** Every option that there is; a command picks those that it takes. */
export const options = {
  membership: {
    ...text(
      'membership',
      'M',
      'where the members are: consul://host:port/service[?tag=…&token-file=…] or static:FILE.json',
      'required',
    ),
    examples: 'static:/tmp/pinwheel-8080.json, as pinwheel up prints it, or consul://127.0.0.1:8500/chat',
  },
  allowNetworks: texts(
    'allow-networks',
    'CIDR',
    'members are dialled in these networks only, such as 10.0.0.0/8; never link-local, multicast and metadata addresses',
    'all others',
  ),
  allowPorts: texts(
    'allow-ports',
    'PORTS',
    'members are dialled on these ports only, such as 7000-7999',
    'from Consul 80, 443, 1024-65535, from a file all',
  ),
  allowDnsNames: flag(
    'allow-dns-names',
    'takes members with host names from Consul too; those in a file may always have one',
  ),
  allowUnproven: flag(
    'allow-unproven',
    'with --keys: takes members from Consul that do not prove that they have one; while keys are turned on',
  ),
  ringConfig: text('ring-config', 'FILE', 'settings that all processes of a service share', 'xxhash32, 512'),
  lastGoodRing: text(
    'last-good-ring',
    'FILE',
    'keeps the last good members, to start while the source is away',
    'none',
  ),
  warmUp: flag(
    'warm-up',
    'before it starts, plays a small service through in this process, so that its code is compiled when users come: takes a second or two',
  ),
  json: flag('json', 'result as JSON'),
  logLevel: choice('log-level', ['info', 'warn', 'error', 'silent'], 'what is logged on stderr', 'info'),

  strategy: choice(
    'strategy',
    strategyNames,
    'how a message finds its user; the same for every node and sender of a service',
    'ring',
  ),
  redis: url(
    'redis',
    ['redis:', 'rediss:'],
    'Redis of the strategies broadcast and registry; with ring, what is for everybody goes through it',
    'none',
  ),
  nats: url('nats', ['nats:', 'tls:'], 'NATS server, the queue in place of Redis', 'none'),
  queuePrefix: text(
    'queue-prefix',
    'NAME',
    'what topics and keys begin with; services on one server need different ones',
    'pinwheel',
  ),
  leaseMs: whole(
    'lease-ms',
    1000,
    3_600_000,
    'registry: how long a node’s word that it has a user counts, in ms',
    String(defaultLeaseMs),
  ),

  id: text('id', 'ID', 'id of this process, 1–64 of A-Z a-z 0-9 . _ : -', 'required'),
  host: text('host', 'ADDRESS', 'where the others reach it, and where it listens', '127.0.0.1'),
  bindHost: text('bind-host', 'ADDRESS', 'where it listens, when that is another address', '--host'),
  port: whole('port', 0, 65_535, 'port; 0 takes a free one'),
  wsPort: whole('ws-port', 0, 65_535, 'port for WebSockets; 0 takes a free one', '0'),
  adminPort: whole('admin-port', 0, 65_535, 'port for health, metrics and moves; 0 takes a free one'),
  adminHost: text('admin-host', 'ADDRESS', 'where the admin port listens', '127.0.0.1'),
  weight: number('weight', 0.01, 100, 'share of users relative to the other nodes', '1'),
  app: text(
    'app',
    'MODULE',
    'module whose onConnect, onMessage, onSend and onDisconnect take what clients send',
  ),
  webhook: url('webhook', http, 'where what clients send is posted to'),
  usersPerSecond: whole(
    'users-per-second',
    1,
    1_000_000,
    'pace of moves after a ring change',
    '500, or the ring config',
  ),
  drainMs: whole('drain-ms', 0, day, 'longest time to drain, in ms', '60000'),
  maxUnreadBytes: whole(
    'max-unread-bytes',
    1024,
    1_073_741_824,
    'bytes that a session may have unread',
    '1048576',
  ),
  maxInboundBytes: whole(
    'max-inbound-bytes',
    1,
    16_777_216,
    'largest message of a client, in bytes',
    '65536',
  ),
  stalledMs: whole('stalled-ms', 1, day, 'a session at its bound for so long is closed, in ms', '10000'),

  resumeWindowMs: whole(
    'resume-window-ms',
    0,
    day,
    'how long a session whose connection is gone can be resumed, in ms',
    '60000',
  ),
  maxInboxMessages: whole('max-inbox-messages', 1, 65_536, 'messages that are kept for one user', '256'),
  maxInboxBytes: whole('max-inbox-bytes', 1024, 16_777_216, 'the same in bytes', '262144'),
  maxInboxTotalBytes: whole(
    'max-inbox-total-bytes',
    65_536,
    2 ** 36,
    'memory for the inboxes of all users, in bytes',
    '268435456',
  ),
  keepAliveMs: whole(
    'keep-alive-ms',
    100,
    600_000,
    'a link that is silent for so long is given up, in ms',
    '6000',
  ),

  path: texts(
    'path',
    'PATH',
    'paths that take WebSocket upgrades, in place of the default; a prefix when it ends in *',
    '/ws',
  ),
  upstream: choice(
    'upstream',
    ['link', 'tunnel'],
    'how the edge reaches what is behind it: link for Pinwheel nodes, tunnel for any WebSocket or HTTP server',
    'link',
  ),
  attachesPerSecond: whole(
    'attaches-per-second',
    1,
    1_000_000,
    'links: pace at which sessions that have lost their node are attached again',
    '5000',
  ),
  ...limitOptions,

  auth: choice(
    'auth',
    ['none', 'jwt', 'webhook'],
    'how clients prove who they are; none: they are who ?user= says',
    'none',
  ),
  jwks: text('jwks', 'FILE|URL', 'jwt: the public keys that tokens are signed with; a URL must be https'),
  jwtIssuer: texts('jwt-issuer', 'ISS', 'jwt: what a token’s iss must be', 'required with jwt'),
  jwtAudience: texts('jwt-audience', 'AUD', 'jwt: what a token’s aud must name', 'required with jwt'),
  jwtAlgorithms: texts(
    'jwt-algorithms',
    'ALG',
    'jwt: what tokens may be signed with; with public keys only, never none or HS256',
    'RS256, PS256, ES256, EdDSA',
  ),
  jwtUserClaim: text('jwt-user-claim', 'CLAIM', 'jwt: the claim that has the user', 'sub'),
  jwtCookie: text(
    'jwt-cookie',
    'NAME',
    'jwt: a cookie that may hold the token; needs --allow-origin',
    'none',
  ),
  jwtLeewaySeconds: whole(
    'jwt-leeway-seconds',
    0,
    300,
    'jwt: difference of clocks that is forgiven, in s',
    '5',
  ),
  jwksRefreshMs: whole('jwks-refresh-ms', 1000, day, 'jwt: an older key set is read again, in ms', '300000'),
  authUrl: url('auth-url', http, 'webhook: where is asked who a client is'),
  authTimeoutMs: whole('auth-timeout-ms', 10, 60_000, 'webhook: time for an answer, in ms', '5000'),
  authCacheMs: whole('auth-cache-ms', 0, 3_600_000, 'webhook: how long an answer is believed, in ms', '5000'),
  allowOrigin: texts('allow-origin', 'ORIGIN', 'pages of these origins may connect, and no others', 'all'),
  keys: text(
    'keys',
    'FILE',
    'keys that all processes of the service share: {"keys":[{"id","secret"}]}, the first one signs; mode 600, read again when it changes',
    'none',
  ),
  tlsCert: text(
    'tls-cert',
    'FILE',
    'certificate in PEM, with its chain: clients connect with TLS 1.2 or later; read again when it changes',
    'none',
  ),
  tlsKey: text('tls-key', 'FILE', 'its private key in PEM; both are given or neither', 'none'),
  apiKeys: text(
    'api-keys',
    'FILE',
    'keys of callers that are no processes of the service: {"keys":[{"id","hash","scopes"}]}; mode 600, read again when it changes',
    'none',
  ),
  apiKey: text(
    'api-key',
    'KEY',
    'pwk_… to call nodes and edges with, in place of --keys; others on this machine can read a command line: prefer the environment',
    'none',
  ),
  ...newKeyOptions,
  backendCa: text(
    'backend-ca',
    'FILE',
    'tunnels: what is behind them is connected to with TLS, and its certificate must be of one of these authorities (PEM)',
    'without TLS',
  ),
  allowInsecure: flag('allow-insecure', 'takes calls and links without proof on any address'),
  allowAnonymous: flag('allow-anonymous', 'takes clients without authentication on any address'),

  nodes: whole('nodes', 1, 64, 'how many nodes', '3'),
  nodePort: whole(
    'node-port',
    0,
    65_535,
    'port of the first node, the others take the next ones; 0 takes free ones',
    '8101',
  ),
  edges: whole('edges', 1, 16, 'how many edges', '1'),
  node: url('node', http, 'the node to send through, instead of the ring'),
  messageId: {
    ...text('id', 'ID', 'id of the message, 1–64 printable ASCII characters', 'a new one'),
    onlyFlag: true,
  },
  binary: flag('binary', 'clients get a binary frame'),
  wait: {
    ...choice(
      'wait',
      ['client'],
      'client: the receipt waits until the user’s clients have acknowledged the message',
    ),
    onlyFlag: true,
  },
  deadlineMs: whole('deadline-ms', 1, 60_000, 'longest time until the receipt, in ms', '5000'),
  edge: { ...urls('edge', http, 'admin address of an edge that is asked, too'), onlyFlag: true },
  edgeSocket: {
    ...url(
      'edge',
      ['ws:', 'wss:'],
      'WebSocket address of the edge; at /ws, where it has no path',
      'ws://127.0.0.1:8080/ws',
    ),
    onlyFlag: true,
  },
  token: text(
    'token',
    'TOKEN',
    'to come in with where clients need one; others on this machine can read a command line: prefer the environment',
    'none',
  ),
  add: { ...texts('add', 'ID[:WEIGHT]', 'a member that would join'), onlyFlag: true },
  remove: { ...texts('remove', 'ID', 'a member that would leave'), onlyFlag: true },
  timeoutMs: whole('timeout-ms', 1, day, 'how long to wait for the end, in ms', '120000'),
} as const satisfies Record<string, Option>;
