import { connect, type Socket } from 'node:net';
import { pause } from '@pinwheel/bench/load/pause.js';
import { RawClient } from '@pinwheel/bench/load/raw-client.js';
import { AbusedSite, type Upstream } from './site.js';

export interface SlowHeadsFigures {
  /** 99th percentile of the time in which real clients connect, when nobody abuses the edge: before or after, the longer. */
  readonly calmMs: number;
  readonly abusedMs: number;
  /** From when they have connected until the last one is gone. */
  readonly goneSeconds: number;
  readonly counted: number;
  /** Real clients that were not taken. */
  readonly refused: number;
}

const dripMs = 10_000;
const connectEveryMs = 10;
const connects = 900;
const deadlineMs = 60_000;

/** Has `each` clients say half a head and then a byte every 10 s, and as many say nothing, while real clients connect. */
export async function measureSlowHeads(upstream: Upstream, each: number): Promise<SlowHeadsFigures> {
  const site = await AbusedSite.start(upstream);
  try {
    // code is compiled, links are opened
    await connectTimes(site.edge.port);
    const before = await connectTimes(site.edge.port);
    const halfOpen = await openSlow(
      site.edge.port,
      each,
      'GET /ws?user=slow HTTP/1.1\r\nHost: x\r\nx-slow: ',
    );
    const silent = await openSlow(site.edge.port, each, '');
    const since = performance.now();
    const drip = setInterval(() => {
      for (const socket of halfOpen) socket.write('x');
    }, dripMs);
    const abused = await connectTimes(site.edge.port);
    const all = [...halfOpen, ...silent];
    while (all.some(({ closed }) => !closed) && performance.now() - since < deadlineMs) await pause(20);
    const goneSeconds = (performance.now() - since) / 1000;
    clearInterval(drip);
    const after = await connectTimes(site.edge.port);
    return {
      calmMs: Math.max(before.p99, after.p99),
      abusedMs: abused.p99,
      goneSeconds,
      counted: await site.edgeMetric('pinwheel_edge_limits_reached_total{limit="head-time"}'),
      refused: before.refused + abused.refused + after.refused,
    };
  } finally {
    await site.stop();
  }
}

async function openSlow(port: number, count: number, head: string): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  for (let i = 0; i < count; i++) {
    const socket = connect({ port, host: '127.0.0.1', localAddress: `127.0.2.${1 + (i % 200)}` });
    socket.on('error', () => {});
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.resume();
    if (head !== '') socket.write(head);
    sockets.push(socket);
  }
  return sockets;
}

/** One client every 10 ms, whether the last one has been taken or not. */
async function connectTimes(port: number) {
  const times: number[] = [];
  let refused = 0;
  const ended: Promise<void>[] = [];
  for (let i = 0; i < connects; i++) {
    ended.push(
      connectTime(port, `real-${i}`).then((ms) => {
        if (ms === undefined) refused++;
        else times.push(ms);
      }),
    );
    await pause(connectEveryMs);
  }
  await Promise.all(ended);
  times.sort((a, b) => a - b);
  return { p99: times[Math.floor(times.length * 0.99)] ?? Number.NaN, refused };
}

/** `undefined` when it was not taken. */
function connectTime(port: number, user: string): Promise<number | undefined> {
  const since = performance.now();
  return new Promise((resolve) => {
    const client = new RawClient(
      { port, user, localAddress: '127.0.3.1' },
      {
        opened: () => {
          resolve(performance.now() - since);
          setImmediate(() => client.destroy());
        },
        message: () => {},
        refused: () => resolve(undefined),
        closed: () => {},
      },
    );
  });
}
