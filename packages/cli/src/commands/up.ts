import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createEdge, type Edge } from '@pinwheel/edge';
import {
  type InProcessMembership,
  inProcessMembership,
  type Log,
  type MembersView,
} from '@pinwheel/membership';
import { createNode, type PinwheelNode } from '@pinwheel/node';
import { PinwheelError } from '@pinwheel/protocol';
import type { Command, Invocation } from '../command.js';
import { type OpenApplication, openApplication } from '../process/application.js';
import { explainBusyPort } from '../process/busy-port.js';
import { createLog } from '../process/log.js';
import { type Running, untilSignal } from '../process/signals.js';
import { given } from '../settings/given.js';
import { keysOf } from '../settings/keys-of.js';
import { openNamedStrategy, strategyOptions } from '../settings/open-strategy.js';
import { options } from '../settings/options.js';
import { readRingConfig } from '../settings/ring-config.js';
import { tlsOf, tlsOptions } from '../settings/tls-of.js';

const defaultPort = 8080;
const defaultAdminPort = 8081;
const defaultNodePort = 8101;
/** Whoever presses Ctrl-C waits for it. */
const drainMs = 1000;

/** A whole ring in this process: nodes, edges and an embedded membership, which a file shows to other processes. */
export const upCommand: Command = {
  name: 'up',
  summary: 'a whole ring on this machine, without Consul; Ctrl-C drains',
  options: [
    options.nodes,
    options.nodePort,
    options.edges,
    {
      ...options.port,
      help: 'port of the first edge; the others take free ones',
      fallback: String(defaultPort),
    },
    { ...options.adminPort, fallback: String(defaultAdminPort) },
    ...tlsOptions.map((option) => ({ ...option, help: `edges: ${option.help}` })),
    ...strategyOptions,
    options.app,
    options.webhook,
    options.ringConfig,
    options.usersPerSecond,
    options.keys,
    { ...options.logLevel, fallback: 'warn' },
    options.json,
  ],
  run: up,
};

async function up({ settings, output }: Invocation): Promise<number> {
  const log = muteable(createLog(settings.text(options.logLevel) ?? 'warn'));
  // whatever may be refused comes before what is opened
  const tls = tlsOf(settings, log);
  const keys = keysOf(settings, log);
  const opened = openNamedStrategy(settings);
  let application: OpenApplication | undefined;
  const membership = inProcessMembership();
  const started: { close(): Promise<void> }[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(started.map((one) => one.close()));
    tls?.close();
    keys?.close();
    await membership.close();
    await opened.close();
    await application?.close();
  };
  const edgePorts = {
    port: settings.number(options.port) ?? defaultPort,
    adminPort: settings.number(options.adminPort) ?? defaultAdminPort,
  };
  let unmirrored = (): void => {};
  try {
    const start = async (): Promise<Running> => {
      application = await openApplication(settings);
      const { callbacks } = application;
      const { settings: ringSettings, usersPerSecond } = readRingConfig(settings);
      const pace = usersPerSecond === undefined ? {} : { usersPerSecond };
      const nodes: PinwheelNode[] = [];
      const firstPort = settings.number(options.nodePort) ?? defaultNodePort;
      for (let i = 1; i <= (settings.number(options.nodes) ?? 3); i++) {
        const node = await createNode({
          id: `n${i}`,
          port: firstPort === 0 ? 0 : firstPort + i - 1,
          membership,
          strategy: opened.strategy,
          ringSettings,
          log,
          ...given('keys', keys),
          ...pace,
          ...callbacks,
        });
        started.unshift(node);
        nodes.push(node);
      }
      const edges: Edge[] = [];
      for (let i = 1; i <= (settings.number(options.edges) ?? 1); i++) {
        const edge = await createEdge({
          id: `e${i}`,
          membership,
          ringSettings,
          ...(i === 1 ? edgePorts : { port: 0, adminPort: 0 }),
          drainMs,
          log,
          ...given('keys', keys),
          ...pace,
          ...given('tls', tls),
        });
        started.unshift(edge);
        edges.push(edge);
      }
      await Promise.all(nodes.map((node) => node.ready()));
      const file = join(tmpdir(), `pinwheel-${edges[0]!.port}.json`);
      const stop = mirror(membership, file, log);
      unmirrored = () => {
        stop();
        for (const name of [file, `${file}.new`]) rmSync(name, { force: true });
      };
      // however it ends, nobody must find a ring that is not there
      process.once('exit', unmirrored);
      const facts = factsOf(nodes, edges, tls === undefined ? 'ws' : 'wss', file);
      for (const node of nodes) void node.closed.then(() => output.progress(`${node.id} has left`));
      for (const edge of edges)
        void edge.drained.then(() => edge.close()).then(() => output.progress(`${edge.id} has left`));
      const gone = Promise.all([...nodes.map((node) => node.closed), ...edges.map((edge) => edge.drained)]);
      return {
        ended: gone.then(() => {}),
        leave: async () => {
          output.progress('draining; Ctrl-C again ends it at once');
          await Promise.all(edges.map((edge) => edge.drain()));
          await Promise.all(nodes.map((node) => node.drain()));
        },
        cut: close,
        announce: () => output.announce(facts, describe(facts, settings.text(options.keys))),
      };
    };
    await untilSignal(start, { alsoSignals: ['SIGHUP'] });
    output.progress('the ring is down');
    return 0;
  } catch (thrown) {
    throw explainBusyPort(thrown, edgePorts);
  } finally {
    unmirrored();
    process.off('exit', unmirrored);
    log.mute();
    await close();
  }
}

/** A ring that is taken down part by part would have warnings about itself. */
function muteable(log: Log): Log & { mute(): void } {
  let muted = false;
  const unless =
    (write: (fields: object, text: string) => void) =>
    (fields: object, text: string): void => {
      if (!muted) write(fields, text);
    };
  return {
    info: unless((fields, text) => log.info(fields, text)),
    warn: unless((fields, text) => log.warn(fields, text)),
    error: unless((fields, text) => log.error(fields, text)),
    mute: () => {
      muted = true;
    },
  };
}

interface Facts {
  readonly membership: string;
  readonly edges: readonly { readonly id: string; readonly url: string; readonly admin: string }[];
  readonly nodes: readonly { readonly id: string; readonly url: string; readonly ws: string }[];
}

function factsOf(
  nodes: readonly PinwheelNode[],
  edges: readonly Edge[],
  scheme: 'ws' | 'wss',
  file: string,
): Facts {
  return {
    membership: `static:${file}`,
    edges: edges.map(({ id, port, adminPort }) => ({
      id,
      url: `${scheme}://127.0.0.1:${port}/ws`,
      admin: `http://127.0.0.1:${adminPort}`,
    })),
    nodes: nodes.map(({ id, port, wsPort }) => ({
      id,
      url: `http://127.0.0.1:${port}`,
      ws: `ws://127.0.0.1:${wsPort}`,
    })),
  };
}

/** @param keys the file of keys, without which nobody sends to such a ring. */
function describe({ membership, edges, nodes }: Facts, keys: string | undefined): string {
  const edge = edges[0]!;
  const listen = edge.url === 'ws://127.0.0.1:8080/ws' ? '' : ` --edge ${edge.url}`;
  return [
    `A ring of ${nodes.length} nodes is up. Ctrl-C drains and ends it.`,
    '',
    ...edges.map(({ id, url, admin }) => `  edge ${id}  ${url}?user=…  admin ${admin}`),
    ...nodes.map(({ id, url }) => `  node ${id}  ${url}`),
    '',
    'Connect as alice, in a second terminal:',
    '',
    `  npx pinwheel listen alice${listen}`,
    '',
    'Send to her, in a third one:',
    '',
    `  export PINWHEEL_MEMBERSHIP=${membership}`,
    ...(keys === undefined ? [] : [`  export PINWHEEL_KEYS=${resolve(keys)}`]),
    "  npx pinwheel send alice 'hello, alice'",
    ...(keys === undefined ? throughAnyNode(nodes[0]!.url) : []),
  ].join('\n');
}

/** It has no proof: for a ring without keys. */
function throughAnyNode(url: string): readonly string[] {
  return [
    '',
    'or through any node, from any language:',
    '',
    `  curl -H 'content-type: text/plain' -d 'hello, alice' ${url}/v1/users/alice/messages`,
  ];
}

/** Keeps a file that other processes can read as `static:` membership. Returns the call that ends it. */
function mirror(membership: InProcessMembership, file: string, log: Log): () => void {
  const write = (view: Pick<MembersView, 'members'>): void => {
    const members = view.members.map(({ id, address, port, wsPort, weight, draining }) => {
      return { id, address, port, wsPort, weight, draining };
    });
    // a new file: what has this name may be somebody else's, or lead elsewhere
    rmSync(`${file}.new`, { force: true });
    writeFileSync(`${file}.new`, `${JSON.stringify({ members }, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
    renameSync(`${file}.new`, file);
  };
  try {
    write({ members: membership.members() });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const isOthers = code === 'EPERM' || code === 'EACCES';
    const advice = isOthers ? '; somebody else has it: with another --port it has another name' : '';
    throw new PinwheelError('unavailable', `${file} cannot be written: ${message}${advice}`, { cause });
  }
  const view = (seen: MembersView): void => {
    try {
      write(seen);
    } catch (thrown) {
      log.warn(
        { file, error: (thrown as Error).message },
        'the members cannot be written for other processes',
      );
    }
  };
  return membership.watch({ view, trouble: () => {}, fresh: () => {} });
}
