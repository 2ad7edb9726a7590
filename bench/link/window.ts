import { pause } from '@pinwheel/bench/load/pause.js';
import { allCpuMicros, cpuMicrosOf } from '@pinwheel/bench/load/process-usage.js';
import { machineLoad } from '../send/machine-load.js';
import type { Site } from './site.js';

const disturbedPercent = 20;
const busyPercent = 95;
/** A window may have so many times the messages of the one before. */
const room = 1.5;

/** What a while of load has cost, per message that came to a client. */
export interface Window {
  readonly messagesPerSecond: number;
  /** Proxy and nodes together. */
  readonly cpuMicrosPerMessage: number;
  readonly proxyCpuMicrosPerMessage: number;
  readonly nodesCpuMicrosPerMessage: number;
  readonly senderCpuMicrosPerMessage: number;
  readonly clientsCpuMicrosPerMessage: number;
  readonly messagesPerCpuSecond: number;
  readonly senderCpuPercent: number;
  readonly clientsCpuPercent: number;
  readonly proxyCpuPercent: number;
  /** Of the busiest node. */
  readonly nodeCpuPercent: number;
  readonly othersCpuPercent: number;
  readonly stolenCpuPercent: number;
}

export interface WindowOptions {
  readonly ms: number;
  /** Another window is measured when others took more than a fifth of a core; at most so many. */
  readonly most: number;
  /** Messages that have come to clients so far. */
  readonly received: () => number | Promise<number>;
  /** Messages that can still be sent. No other window begins that they may not last for; default: any number. */
  readonly left?: () => number;
}

/** The first window that others left alone, or the least disturbed one. The sender is this process. */
export async function measureWindow(site: Site, options: WindowOptions): Promise<Window> {
  const { ms, most, received, left = () => Number.POSITIVE_INFINITY } = options;
  let best = await measure();
  let last = best;
  for (let i = 1; i < most && best.othersCpuPercent > disturbedPercent; i++) {
    if (left() < (room * last.messagesPerSecond * ms) / 1000) break;
    last = await measure();
    if (last.othersCpuPercent < best.othersCpuPercent) best = last;
  }
  warnOfBottleneck(best);
  return best;

  async function measure(): Promise<Window> {
    const before = reading(site, await received());
    await pause(ms);
    return between(before, reading(site, await received()));
  }
}

function reading(site: Site, received: number) {
  const { user, system } = process.cpuUsage();
  return {
    received,
    atMs: performance.now(),
    proxy: site.proxyPids.reduce((sum, pid) => sum + cpuMicrosOf(pid), 0),
    nodes: site.nodes.pids.map(cpuMicrosOf),
    clients: cpuMicrosOf(site.clients.pid),
    sender: user + system,
    all: allCpuMicros(),
    stolen: machineLoad().stolenMicros,
  };
}

type Reading = ReturnType<typeof reading>;

function between(before: Reading, after: Reading): Window {
  const messages = after.received - before.received;
  const elapsedMs = after.atMs - before.atMs;
  const percent = (micros: number): number => micros / 10 / elapsedMs;
  const eachNode = after.nodes.map((micros, i) => micros - before.nodes[i]!);
  const nodes = eachNode.reduce((sum, micros) => sum + micros, 0);
  const proxy = after.proxy - before.proxy;
  const clients = after.clients - before.clients;
  const sender = after.sender - before.sender;
  return {
    messagesPerSecond: (messages * 1000) / elapsedMs,
    cpuMicrosPerMessage: (proxy + nodes) / messages,
    proxyCpuMicrosPerMessage: proxy / messages,
    nodesCpuMicrosPerMessage: nodes / messages,
    senderCpuMicrosPerMessage: sender / messages,
    clientsCpuMicrosPerMessage: clients / messages,
    messagesPerCpuSecond: (messages * 1e6) / (proxy + nodes),
    senderCpuPercent: percent(sender),
    clientsCpuPercent: percent(clients),
    proxyCpuPercent: percent(proxy),
    nodeCpuPercent: percent(Math.max(...eachNode)),
    othersCpuPercent: percent(after.all - before.all - proxy - nodes - clients - sender),
    stolenCpuPercent: percent(after.stolen - before.stolen),
  };
}

/** A figure of the load is no figure of what is loaded. */
function warnOfBottleneck({ senderCpuPercent, clientsCpuPercent }: Window): void {
  for (const [what, percent] of Object.entries({ sender: senderCpuPercent, clients: clientsCpuPercent })) {
    if (percent > busyPercent)
      process.stderr.write(`WARNING: the ${what} had ${percent.toFixed(0)} % of a core\n`);
  }
}
