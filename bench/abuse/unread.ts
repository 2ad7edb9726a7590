import { connect, type Socket } from 'node:net';
import { FrameReader } from '@pinwheel/bench/load/frame-reader.js';
import { pause } from '@pinwheel/bench/load/pause.js';
import { AbusedSite, type Upstream } from './site.js';

export interface UnreadFigures {
  /** What edge and node have grown by at most, for each client that does not read. */
  readonly kilobytesEach: number;
  /** Clients that were closed for it, as edge and node count them. */
  readonly closed: number;
  /** Of those, who found the code when they read at last. */
  readonly found4002: number;
  readonly closedAfterSeconds: number;
}

const messageBytes = 60_000;
const sendEveryMs = 50;
const deadlineMs = 120_000;
const tooSlow = 4002;
const closeOpcode = 8;

/** Has clients read nothing while messages come for them, until they are closed. */
export async function measureUnread(upstream: Upstream, readers: number): Promise<UnreadFigures> {
  const site = await AbusedSite.start(upstream);
  try {
    const users = Array.from({ length: readers }, (_, i) => `reader-${i}`);
    const sockets = await Promise.all(users.map((user) => openUnread(site.edge.port, user)));
    const before = site.residentKb();
    const since = performance.now();
    const data = 'x'.repeat(messageBytes);
    let most = before;
    let closed = 0;
    while (closed < readers && performance.now() - since < deadlineMs) {
      await Promise.all(users.map((user) => site.sender.send(user, data)));
      most = Math.max(most, site.residentKb());
      closed = await closedOf(site, upstream);
      await pause(sendEveryMs);
    }
    const closedAfterSeconds = (performance.now() - since) / 1000;
    const codes = await Promise.all(sockets.map(readToTheEnd));
    return {
      kilobytesEach: (most - before) / readers,
      closed,
      found4002: codes.filter((code) => code === tooSlow).length,
      closedAfterSeconds,
    };
  } finally {
    await site.stop();
  }
}

function closedOf(site: AbusedSite, upstream: Upstream): Promise<number> {
  return upstream === 'link'
    ? site.edgeMetric('pinwheel_edge_session_ends_total{reason="too-slow"}')
    : site.nodeMetric('pinwheel_node_closes_total{reason="too-slow"}');
}

/** Resolves when it has read the answer to its upgrade, and reads no more. */
function openUnread(port: number, user: string): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => {});
  socket.write(
    `GET /ws?user=${user} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  return new Promise((resolve) => {
    socket.once('data', () => {
      socket.pause();
      resolve(socket);
    });
  });
}

/** The code of the close frame at the end, or 1006. */
function readToTheEnd(socket: Socket): Promise<number> {
  let code = 1006;
  const frames = new FrameReader((opcode, bytes, from, to) => {
    if (opcode === closeOpcode && to - from >= 2) code = bytes.readUInt16BE(from);
  });
  socket.on('data', (chunk) => frames.read(chunk));
  return new Promise((resolve) => {
    const late = setTimeout(() => socket.destroy(), deadlineMs);
    socket.once('close', () => {
      clearTimeout(late);
      resolve(code);
    });
    socket.on('end', () => socket.end());
    socket.resume();
  });
}
