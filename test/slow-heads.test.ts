import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { openCertificateFiles } from '@pinwheel/trust';
import t from 'tap';
import { makeCertificate } from './kit/certificate.js';
import { connected, Neighbour } from './kit/limited-client.js';
import { startFront } from './kit/limited-front.js';
import { until } from './kit/until.js';

const each = 20;
const saidEachTime = 5;
const halfHead = 'GET /ws?user=bob HTTP/1.1\r\nhost: x\r\nx-slow: ';
/** Of a TLS record that is longer than what comes of it. */
const halfHello = Buffer.from('16030103000100', 'hex');

/** How somebody begins who wants to keep a socket without being anybody; behind it some send a byte at a time. */
interface Beginning {
  readonly what: string;
  readonly begin: (port: number) => Socket;
  readonly drips: boolean;
}

const plainly: readonly Beginning[] = [
  { what: 'say nothing', begin: (port) => opened(port), drips: false },
  { what: 'say half a request', begin: (port) => opened(port, halfHead), drips: true },
];
const withTls: readonly Beginning[] = [
  { what: 'say nothing', begin: (port) => opened(port), drips: false },
  { what: 'say half a hello', begin: (port) => opened(port, halfHello), drips: true },
  { what: 'say half a request', begin: (port) => openedWithTls(port, halfHead), drips: true },
];

/** Where nobody says less, uWebSockets.js has its own time for it. */
const fronts = [
  { kind: 'link', bounds: {}, everyMs: 1000, withinMs: 12_000 },
  { kind: 'link', bounds: { headTimeoutMs: 1000 }, everyMs: 100, withinMs: 1250 },
  { kind: 'node', bounds: {}, everyMs: 1000, withinMs: 12_000 },
  { kind: 'node', bounds: { headTimeoutMs: 1000 }, everyMs: 100, withinMs: 1250 },
  { kind: 'tunnel', bounds: { headTimeoutMs: 1000 }, everyMs: 100, withinMs: 1100 },
] as const;
/** For a machine that has other things to do, too, and for a handshake with TLS, which has its own time with tunnels. */
const graceMs = 3000;

const { cert, key } = makeCertificate();
const folder = t.testdir({ 'cert.pem': cert, 'key.pem': key });
const tls = openCertificateFiles({ cert: `${folder}/cert.pem`, key: `${folder}/key.pem` });
t.teardown(() => tls.close());

t.test('clients that never get to the end of a head', { jobs: 4 }, async (t) => {
  for (const { kind, bounds, everyMs, withinMs } of fronts) {
    const where = `${kind}, within ${withinMs} ms`;
    void t.test(`at ${where}`, async (t) => {
      const front = await startFront(t, kind, bounds);
      const neighbour = new Neighbour(await connected(t, front.port, 'alice'));
      const gone = begin(t, front.port, plainly, everyMs, withinMs);
      t.ok(await neighbour.says(saidEachTime), 'the neighbour notices nothing');
      const answers = await gone;
      if (kind === 'tunnel') t.ok(answers.every((answer) => answer.startsWith('HTTP/1.1 408 ')));
      t.equal(await front.reached('head-time'), plainly.length * each, 'all of them are counted');
      t.ok(await neighbour.says(saidEachTime), 'and nothing still');
    });

    void t.test(`at ${where} with TLS`, async (t) => {
      const front = await startFront(t, kind, { ...bounds, tls });
      await begin(t, front.port, withTls, everyMs, withinMs);
      t.equal(await front.reached('head-time'), withTls.length * each, 'all of them are counted');
    });
  }
});

/** Has so many begin in each way; resolves with what they were answered when all of them were cut off. */
async function begin(
  t: { teardown(end: () => void): unknown; ok(is: boolean, what: string): unknown },
  port: number,
  beginnings: readonly Beginning[],
  everyMs: number,
  withinMs: number,
): Promise<readonly string[]> {
  const since = performance.now();
  const slow = beginnings.map(({ what, begin, drips }) => ({
    what,
    drips,
    sockets: Array.from({ length: each }, () => begin(port)),
  }));
  const answers = new Map<Socket, string>();
  for (const socket of slow.flatMap(({ sockets }) => sockets)) {
    answers.set(socket, '');
    socket.on('data', (chunk) => answers.set(socket, answers.get(socket)! + String(chunk)));
  }
  const drip = setInterval(() => {
    const dripping = slow.filter(({ drips }) => drips).flatMap(({ sockets }) => sockets);
    for (const socket of dripping) if (socket.writable) socket.write('x');
  }, everyMs);
  t.teardown(() => clearInterval(drip));
  for (const { what, sockets } of slow) {
    await until(`those that ${what} are gone`, () => sockets.every(({ closed }) => closed), {
      deadlineMs: 30_000,
    });
    const took = Math.round(performance.now() - since);
    t.ok(took < withinMs + graceMs, `those that ${what} are gone, after ${took} ms`);
  }
  return [...answers.values()];
}

function opened(port: number, first?: string | Buffer): Socket {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => {});
  if (first !== undefined) socket.write(first);
  return socket;
}

function openedWithTls(port: number, first: string): Socket {
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
  socket.on('error', () => {});
  socket.write(first);
  return socket;
}
