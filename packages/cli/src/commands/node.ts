import { createNode } from '@pinwheel/node';
import type { Command, Invocation } from '../command.js';
import { type OpenApplication, openApplication } from '../process/application.js';
import { inFlags } from '../process/in-flags.js';
import { createLog } from '../process/log.js';
import { explainFreePort } from '../process/port-not-given.js';
import { type Running, untilSignal } from '../process/signals.js';
import { warmUp } from '../process/warm-up.js';
import { given } from '../settings/given.js';
import { apiKeysOf, keysOf } from '../settings/keys-of.js';
import { limitsOf } from '../settings/limits-of.js';
import { membershipOf, membershipOptions } from '../settings/membership-of.js';
import { openNamedStrategy, strategyOptions } from '../settings/open-strategy.js';
import { options } from '../settings/options.js';
import { readRingConfig } from '../settings/ring-config.js';
import type { Settings } from '../settings/settings.js';
import { tlsOf, tlsOptions } from '../settings/tls-of.js';

export const nodeCommand: Command = {
  name: 'node',
  summary: 'one node; SIGTERM drains it and takes it out of the membership',
  options: [
    options.id,
    ...membershipOptions,
    ...strategyOptions,
    options.host,
    options.bindHost,
    { ...options.port, help: 'internal port: API, health, metrics; 0 takes a free one', fallback: '0' },
    options.wsPort,
    options.weight,
    ...tlsOptions.map((option) => ({ ...option, help: `--ws-port: ${option.help}` })),
    options.keys,
    options.apiKeys,
    {
      ...options.adminPort,
      help: 'port for operators: health, metrics, the ring, moves, the drain; 0 takes a free one',
      fallback: 'none',
    },
    options.adminHost,
    options.allowInsecure,
    options.app,
    options.webhook,
    options.ringConfig,
    options.usersPerSecond,
    options.drainMs,
    options.resumeWindowMs,
    options.maxInboxMessages,
    options.maxInboxBytes,
    options.maxInboxTotalBytes,
    options.keepAliveMs,
    options.maxUnreadBytes,
    options.maxInboundBytes,
    options.stalledMs,
    { ...options.maxConnections, help: 'clients at one time at --ws-port; more get 503' },
    options.maxConnectionsPerUser,
    {
      ...options.messagesPerSecond,
      help: 'messages a second from one client at --ws-port, pings and pongs too; who sends more is closed with 4007; 0: no bound',
      fallback: '1000',
    },
    { ...options.bytesPerSecond, fallback: '4194304' },
    options.maxRssBytes,
    options.headTimeoutMs,
    options.maxHeadBytes,
    options.lastGoodRing,
    options.warmUp,
    options.logLevel,
    options.json,
  ],
  run: runNode,
};

async function runNode({ settings, output }: Invocation): Promise<number> {
  const id = settings.needText(options.id);
  const log = createLog(settings.text(options.logLevel) ?? 'info');
  const tls = tlsOf(settings, log);
  const keys = keysOf(settings, log);
  const apiKeys = apiKeysOf(settings, log);
  const membership = membershipOf(settings, keys);
  const opened = openNamedStrategy(settings);
  let application: OpenApplication | undefined;
  try {
    const { settings: ringSettings, usersPerSecond } = readRingConfig(settings);
    const prepare = async (aborted: AbortSignal): Promise<void> => {
      application = await openApplication(settings);
      if (settings.flag(options.warmUp)) await warmUp(log, aborted);
    };
    const start = async (): Promise<Running> => {
      const { callbacks } = application!;
      const node = await inFlags(() =>
        createNode({
          id,
          membership,
          strategy: opened.strategy,
          ringSettings,
          log,
          allowInsecure: settings.flag(options.allowInsecure),
          ...given('keys', keys),
          ...given('tls', tls),
          ...given('apiKeys', apiKeys),
          ...given('adminPort', settings.number(options.adminPort)),
          ...given('adminHost', settings.text(options.adminHost)),
          ...callbacks,
          ...given('usersPerSecond', usersPerSecond),
          ...given('host', settings.text(options.host)),
          ...given('bindHost', settings.text(options.bindHost)),
          ...given('port', settings.number(options.port)),
          ...given('wsPort', settings.number(options.wsPort)),
          ...given('weight', settings.number(options.weight)),
          ...limits(settings),
        }),
      );
      const { port, wsPort, adminPort } = node;
      const facts = {
        id,
        port,
        wsPort,
        ...given('adminPort', adminPort),
        membership: membership.description,
      };
      const text = `node ${id}: API on port ${port}, WebSockets on port ${wsPort}${adminPort === undefined ? '' : `, admin on port ${adminPort}`}, ${membership.description}`;
      return {
        ended: node.closed,
        leave: () => node.drain(),
        cut: () => node.close(),
        announce: () => output.announce(facts, text),
      };
    };
    await untilSignal(start, { prepare });
    return 0;
  } catch (thrown) {
    throw explainFreePort(thrown, settings);
  } finally {
    keys?.close();
    tls?.close();
    apiKeys?.close();
    await membership.close();
    await opened.close();
    await application?.close();
  }
}

function limits(settings: Settings) {
  const lastGoodPath = settings.text(options.lastGoodRing);
  return {
    ...given('drainMs', settings.number(options.drainMs)),
    ...given('resumeWindowMs', settings.number(options.resumeWindowMs)),
    ...given('maxInboxMessages', settings.number(options.maxInboxMessages)),
    ...given('maxInboxBytes', settings.number(options.maxInboxBytes)),
    ...given('maxInboxTotalBytes', settings.number(options.maxInboxTotalBytes)),
    ...given('keepAliveMs', settings.number(options.keepAliveMs)),
    ...given('maxUnreadBytes', settings.number(options.maxUnreadBytes)),
    ...given('maxInboundBytes', settings.number(options.maxInboundBytes)),
    ...given('stalledMs', settings.number(options.stalledMs)),
    ...limitsOf(settings),
    ...(lastGoodPath === undefined ? {} : { tracking: { lastGoodPath } }),
  };
}
