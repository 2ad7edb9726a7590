import { createEdge, type Edge, type EdgeOptions } from '@pinwheel/edge';
import { readAuthorities } from '@pinwheel/trust';
import type { Command, Invocation } from '../command.js';
import { inFlags } from '../process/in-flags.js';
import { createLog } from '../process/log.js';
import { type Running, untilSignal } from '../process/signals.js';
import { warmUp } from '../process/warm-up.js';
import { admissionOf } from '../settings/admission-of.js';
import { given } from '../settings/given.js';
import { apiKeysOf, keysOf } from '../settings/keys-of.js';
import { limitOptions } from '../settings/limit-options.js';
import { edgeLimitsOf } from '../settings/limits-of.js';
import { membershipOf, membershipOptions } from '../settings/membership-of.js';
import { strategyOptions } from '../settings/open-strategy.js';
import { options } from '../settings/options.js';
import { readRingConfig } from '../settings/ring-config.js';
import { tlsOf, tlsOptions } from '../settings/tls-of.js';

export const edgeCommand: Command = {
  name: 'edge',
  summary: 'one edge; SIGTERM tells its clients to reconnect elsewhere, spread over the drain',
  options: [
    options.id,
    ...membershipOptions,
    // so that one file of options serves every process
    ...strategyOptions.map((option) => ({
      ...option,
      help: `${option.help}; an edge places users by the ring whatever it is`,
    })),
    { ...options.host, help: 'where it listens for clients' },
    { ...options.port, help: 'port for clients; 0 takes a free one', fallback: '8080' },
    { ...options.adminPort, fallback: 'none' },
    options.adminHost,
    options.path,
    options.upstream,
    options.auth,
    options.jwks,
    options.jwtIssuer,
    options.jwtAudience,
    options.jwtAlgorithms,
    options.jwtUserClaim,
    options.jwtCookie,
    options.jwtLeewaySeconds,
    options.jwksRefreshMs,
    options.authUrl,
    options.authTimeoutMs,
    options.authCacheMs,
    options.allowOrigin,
    options.allowAnonymous,
    ...tlsOptions,
    options.backendCa,
    options.keys,
    { ...options.apiKeys, help: `${options.apiKeys.help}; the scope admin opens the admin port` },
    options.ringConfig,
    { ...options.usersPerSecond, help: 'tunnels: pace of moves after a ring change' },
    options.attachesPerSecond,
    { ...options.keepAliveMs, help: 'a link on which nothing is heard for so long is closed, in ms' },
    { ...options.drainMs, help: 'time over which clients are told to come back, in ms', fallback: '10000' },
    {
      ...options.stalledMs,
      help: 'a client that has taken nothing for so long is closed, in ms',
      fallback: '10000, with tunnels 30000',
    },
    ...Object.values(limitOptions),
    {
      ...options.maxUnreadBytes,
      help: 'links: bytes that a client may have unread before its node pauses',
      fallback: '65536',
    },
    {
      ...options.maxInboundBytes,
      kind: { type: 'whole', least: 1, most: 1_048_576 },
      help: 'links: largest message of a client, in bytes',
    },
    options.lastGoodRing,
    options.warmUp,
    options.logLevel,
    options.json,
  ],
  run: runEdge,
};

async function runEdge({ settings, output }: Invocation): Promise<number> {
  const id = settings.needText(options.id);
  const { settings: ringSettings, usersPerSecond } = readRingConfig(settings);
  const log = createLog(settings.text(options.logLevel) ?? 'info');
  const caFile = settings.text(options.backendCa);
  const backendCa = caFile === undefined ? undefined : readAuthorities('backend-ca', caFile);
  const tls = tlsOf(settings, log);
  const keys = keysOf(settings, log);
  const apiKeys = apiKeysOf(settings, log);
  const membership = membershipOf(settings, keys);
  const lastGoodPath = settings.text(options.lastGoodRing);
  let edge: Edge | undefined;
  try {
    const prepare = async (aborted: AbortSignal): Promise<void> => {
      if (settings.flag(options.warmUp)) await warmUp(log, aborted);
    };
    const start = async (): Promise<Running> => {
      const made = await inFlags(() =>
        createEdge({
          id,
          membership,
          ringSettings,
          log,
          port: settings.number(options.port) ?? 8080,
          ...admissionOf(settings),
          ...given('keys', keys),
          ...given('tls', tls),
          ...given('apiKeys', apiKeys),
          ...given('backendCa', backendCa),
          ...given('tracking', lastGoodPath === undefined ? undefined : { lastGoodPath }),
          ...given('host', settings.text(options.host)),
          ...given('adminPort', settings.number(options.adminPort)),
          ...given('adminHost', settings.text(options.adminHost)),
          ...given('path', settings.texts(options.path)),
          ...given('usersPerSecond', usersPerSecond),
          ...given('drainMs', settings.number(options.drainMs)),
          ...given('stalledMs', settings.number(options.stalledMs)),
          ...given('upstream', settings.text(options.upstream) as EdgeOptions['upstream']),
          ...given('keepAliveMs', settings.number(options.keepAliveMs)),
          ...given('attachesPerSecond', settings.number(options.attachesPerSecond)),
          ...edgeLimitsOf(settings),
          ...given('maxUnreadBytes', settings.number(options.maxUnreadBytes)),
          ...given('maxInboundBytes', settings.number(options.maxInboundBytes)),
        }),
      );
      const facts = { id, port: made.port, adminPort: made.adminPort, membership: membership.description };
      const admin = made.adminPort === undefined ? '' : `, admin on port ${made.adminPort}`;
      const text = `edge ${id}: clients on port ${made.port}${tls === undefined ? '' : ' with TLS'}${admin}, ${membership.description}`;
      edge = made;
      return {
        ended: made.drained,
        leave: () => made.drain(),
        cut: () => made.close(),
        announce: () => output.announce(facts, text),
      };
    };
    await untilSignal(start, { prepare });
    return 0;
  } finally {
    if (edge !== undefined) {
      await edge.close();
      log.info({ edge: id }, 'edge is closed');
    }
    keys?.close();
    tls?.close();
    apiKeys?.close();
    await membership.close();
  }
}
