import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import WebSocket from 'ws';
import { RawClient, upgradeText } from '../packages/edge/test/raw-client.js';
import type { Teardown } from './kit/consul.js';
import {
  connected,
  Neighbour,
  type Origin,
  type RefusedWith,
  sendUntilClosed,
  tryToConnect,
} from './kit/limited-client.js';
import { type Bounds, type FrontKind, fronts, type LimitedFront, startFront } from './kit/limited-front.js';
import { until } from './kit/until.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
const megabyte = 1_000_000;

/** A bound, how a client comes to reach it, and what it is told then. */
interface Row {
  readonly limit: string;
  /** What it is reached by, where that is not plain. */
  readonly by?: string;
  readonly at: readonly FrontKind[];
  readonly bounds: () => Bounds;
  /** Reaches it; resolves with what the client was told and with what takes the pressure away. */
  readonly reach: (t: Teardown, front: LimitedFront) => Promise<Reached>;
  readonly told: number | Partial<RefusedWith>;
}

interface Reached {
  readonly told: number | RefusedWith;
  readonly relieve: () => void;
}

const edges = ['link', 'tunnel'] as const;
const unavailable = { status: 503, retryAfter: '1', code: 'overloaded' };
const tooMany = { status: 429, retryAfter: '1', code: 'limit-reached' };
const rateExceeded = 4007;
/** Its numbers are within every bound of the table together. */
const saidEachTime = 5;

const rows: readonly Row[] = [
  {
    limit: 'connections',
    at: fronts,
    bounds: () => ({ maxConnections: 2 }),
    reach: (t, front) => oneTooMany(t, front, ['bob', 'carol']),
    told: unavailable,
  },
  {
    limit: 'connects',
    at: edges,
    bounds: () => ({ connectsPerSecond: 3 }),
    reach: async (t, { port }) => {
      const told = await until('they come too fast', async () => {
        const answer = await tryToConnect(t, port, 'bob');
        return !(answer instanceof WebSocket) && answer;
      });
      return { told, relieve: () => {} };
    },
    told: unavailable,
  },
  {
    limit: 'user-connections',
    at: fronts,
    bounds: () => ({ maxConnectionsPerUser: 1 }),
    reach: (t, front) => oneTooMany(t, front, ['bob', 'bob']),
    told: tooMany,
  },
  {
    limit: 'address-connections',
    at: edges,
    bounds: () => ({ maxConnectionsPerAddress: 2 }),
    reach: (t, front) => oneTooMany(t, front, ['bob', 'carol']),
    told: tooMany,
  },
  {
    limit: 'connection-rate',
    at: fronts,
    bounds: () => ({ messagesPerSecond: 40 }),
    reach: (t, front) => sendsTooMuch(t, front, ['bob'], 'x'),
    told: rateExceeded,
  },
  {
    limit: 'connection-rate',
    at: fronts,
    bounds: () => ({ bytesPerSecond: 90_000 }),
    reach: (t, front) => sendsTooMuch(t, front, ['bob'], 'x'.repeat(60_000)),
    told: rateExceeded,
  },
  ...(['ping', 'pong'] as const).map((as) => ({
    limit: 'connection-rate',
    by: as,
    at: fronts,
    bounds: () => ({ messagesPerSecond: 40 }),
    reach: (t: Teardown, front: LimitedFront) => sendsTooMuch(t, front, ['bob'], 'x', as),
    told: rateExceeded,
  })),
  {
    limit: 'user-rate',
    at: edges,
    bounds: () => ({ messagesPerSecondPerUser: 40 }),
    reach: (t, front) => sendsTooMuch(t, front, ['bob', 'bob'], 'x'),
    told: rateExceeded,
  },
  {
    limit: 'user-rate',
    at: edges,
    bounds: () => ({ bytesPerSecondPerUser: 90_000 }),
    reach: (t, front) => sendsTooMuch(t, front, ['bob', 'bob'], 'x'.repeat(60_000)),
    told: rateExceeded,
  },
  {
    limit: 'memory',
    at: fronts,
    bounds: () => ({ maxRssBytes: Math.round(process.memoryUsage.rss() + 150 * megabyte) }),
    reach: async (t, front) => {
      const held = [Buffer.alloc(300 * megabyte, 1)];
      await until('it says that it is not ready', async () => (await front.readyStatus()) === 503);
      const told = await tryToConnect(t, front.port, 'bob');
      if (told instanceof WebSocket) throw new Error('a client was taken above the bound of memory');
      return { told, relieve: () => void held.pop() };
    },
    told: unavailable,
  },
];

for (const { limit, by = '', at, bounds, reach, told } of rows) {
  for (const kind of at) {
    t.test(`${limit} at ${kind}: ${Object.keys(bounds()).join()} ${by}`, async (t) => {
      const front = await startFront(t, kind, bounds());
      const neighbour = new Neighbour(await connected(t, front.port, 'alice'));
      t.ok(await neighbour.says(saidEachTime), 'the neighbour is served');
      t.equal(await front.reached(limit), 0, 'nobody has reached it');

      const reached = await reach(t, front);
      t.match(reached.told, told, 'the client is told what the documents say');
      t.ok(await neighbour.says(saidEachTime), 'the neighbour notices nothing');
      t.ok((await front.reached(limit)) >= 1, 'it is counted');

      reached.relieve();
      await until('new clients are taken again', async () => {
        collectGarbage();
        return (await tryToConnect(t, front.port, 'dave')) instanceof WebSocket;
      });
      t.ok(await neighbour.says(saidEachTime), 'and the neighbour has noticed nothing still');
      t.equal(await front.readyStatus(), 200);
    });
  }
}

for (const kind of edges) {
  t.test(`addresses at ${kind}`, async (t) => {
    const behindProxies: Bounds = { maxConnectionsPerAddress: 1, trustedProxies: ['127.0.0.0/30', '::1'] };
    const from = (address: string): Origin => ({ headers: { 'x-forwarded-for': address } });
    const cases: readonly (readonly [string, Bounds, Origin, Origin, boolean])[] = [
      ['two of one', { maxConnectionsPerAddress: 1 }, {}, {}, false],
      ['two', { maxConnectionsPerAddress: 1 }, {}, { from: '127.0.0.2' }, true],
      ['a header of a client’s own making', { maxConnectionsPerAddress: 1 }, {}, from('192.0.2.1'), false],
      ['two of one behind a proxy', behindProxies, from('192.0.2.1'), from('192.0.2.1'), false],
      ['two behind a proxy', behindProxies, from('192.0.2.1'), from('192.0.2.2'), true],
      ['one and a proxy of ours', behindProxies, from('192.0.2.1'), from('192.0.2.1, 127.0.0.3'), false],
      ['one that forges others', behindProxies, from('192.0.2.1'), from('198.51.100.7, 192.0.2.1'), false],
      ['the proxy itself', behindProxies, {}, from('what?'), false],
      ['one that is no proxy', behindProxies, {}, { from: '127.0.0.9', ...from('127.0.0.1') }, true],
      ['an IPv6 network', behindProxies, from('2001:db8::1'), from('2001:db8:0:0:ffff::2'), false],
      ['two IPv6 networks', behindProxies, from('2001:db8::1'), from('2001:db8:0:1::1'), true],
      ['IPv4 in IPv6 form', behindProxies, from('::ffff:192.0.2.1'), from('192.0.2.1'), false],
    ];
    for (const [what, bounds, first, second, isTaken] of cases) {
      const front = await startFront(t, kind, bounds);
      await connected(t, front.port, 'alice', first);
      const answer = await tryToConnect(t, front.port, 'bob', second);
      if (isTaken) t.ok(answer instanceof WebSocket, `${what}: taken`);
      else t.match(answer, tooMany, `${what}: refused`);
    }
  });

  t.test(`a head that comes in parts at ${kind}`, async (t) => {
    const front = await startFront(t, kind, {});
    const cases: readonly (readonly [bytes: number, status: number])[] = [
      [3000, 101],
      [12_000, 101],
      [20_000, 431],
    ];
    for (const [bytes, status] of cases) {
      const client = await headInParts(front.port, bytes);
      t.equal(client.status, status, `with ${bytes} bytes in a header`);
      client.socket.destroy();
    }
    if (kind === 'tunnel') t.equal(await front.reached('head-size'), 1, 'it is counted');
  });

  t.test(`another bound of heads at ${kind}`, async (t) => {
    const front = await startFront(t, kind, { maxHeadBytes: 4096 });
    const before = await connected(t, front.port, 'before');
    for (const [bytes, status] of [
      [3000, 101],
      [5000, 431],
    ] as const) {
      const client = await headInParts(front.port, bytes);
      t.equal(client.status, status, `with ${bytes} bytes in a header`);
      client.socket.destroy();
    }
    t.equal(await front.reached('head-size'), 1, 'it is counted');
    t.equal(before.readyState, before.OPEN, 'nobody else notices');
  });
}

/** Connects two, of whom the second is one too many; the first leaves to take the pressure away. */
async function oneTooMany(
  t: Teardown,
  { port }: LimitedFront,
  [first, second]: readonly [string, string],
): Promise<Reached> {
  const taken = await connected(t, port, first);
  const told = await tryToConnect(t, port, second);
  if (told instanceof WebSocket) throw new Error(`${second} was taken beyond the bound`);
  return { told, relieve: () => taken.terminate() };
}

/** All of them send the same without a pause; resolves with the code of the first one that is closed. */
async function sendsTooMuch(
  t: Teardown,
  { port }: LimitedFront,
  users: readonly string[],
  data: string,
  as?: 'ping' | 'pong',
): Promise<Reached> {
  const sockets = await Promise.all(users.map((user) => connected(t, port, user)));
  const told = await Promise.race(sockets.map((socket) => sendUntilClosed(socket, data, as)));
  return { told, relieve: () => sockets.forEach((socket) => void socket.terminate()) };
}

/** Has each part taken before the next one comes: turns of the event loop that this process shares with the server. */
async function headInParts(port: number, bytes: number): Promise<RawClient> {
  const client = new RawClient(port);
  client.socket.setNoDelay(true);
  const text = upgradeText('/ws?user=wide', { 'X-Wide': 'x'.repeat(bytes) });
  const parts = 4;
  for (let i = 0; i < parts; i++) {
    client.write(text.slice((i * text.length) / parts, ((i + 1) * text.length) / parts));
    await until('it has left', () => client.socket.writableLength === 0 && !client.socket.connecting);
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
  return client.answered();
}
