import { createServer, Socket } from 'node:net';
import { freePort } from '@pinwheel/bench/load/free-ports.js';
import { createEdge } from '@pinwheel/edge';
import { type AddressRuleOptions, consulMembership, createRingTracker } from '@pinwheel/membership';
import { createNode } from '@pinwheel/node';
import { createSender } from '@pinwheel/sender';
import t from 'tap';
import { WebSocket } from 'ws';
import { recordedLog } from '../packages/membership/test/recorded-log.js';
import { startConsul } from './kit/consul.js';
import { until } from './kit/until.js';

type Scope = { teardown(end: () => void | Promise<void>): unknown };

/** Listens everywhere on this machine, and counts who comes. */
async function startTrap(t: Scope) {
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '::', resolve));
  t.teardown(() => void server.close());
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { port, connections: () => connections };
}

/** Every address and port that this process dials from now on, as `host:port`. */
function watchDials(t: Scope): readonly string[] {
  const dialled: string[] = [];
  const { connect } = Socket.prototype;
  Socket.prototype.connect = function (this: Socket, ...given: never[]): Socket {
    // node:net hands its own normalised arguments on in one list
    const [first] = given as unknown as [unknown];
    const { host = '', port = '' } = (Array.isArray(first) ? first[0] : first) as {
      host?: string;
      port?: number | string;
    };
    dialled.push(`${host}:${port}`);
    return (connect as (...all: never[]) => Socket).apply(this, given);
  } as typeof connect;
  t.teardown(() => {
    Socket.prototype.connect = connect;
  });
  return dialled;
}

t.test('hostile entries in Consul: none of them is dialled, and good members notice nothing', async (t) => {
  const consul = await startConsul(t);
  const trap = await startTrap(t);
  const ports = await Promise.all(Array.from({ length: 4 }, () => freePort()));
  const addresses: AddressRuleOptions = {
    allowNetworks: ['127.0.0.1/32'],
    allowPorts: ports.map(String),
  };
  const membership = consulMembership({ port: consul.port, service: 'chat', addresses, pauseMs: 20 });
  t.teardown(() => membership.close());
  const start = (id: string, port?: number, wsPort?: number) =>
    createNode({ id, membership, port: port ?? 0, wsPort: wsPort ?? 0 });
  const nodes = [await start('n1', ports[0], ports[1]), await start('n2', ports[2], ports[3])];
  t.teardown(async () => {
    await Promise.all(nodes.map((node) => node.close()));
  });
  await Promise.all(nodes.map((node) => node.ready()));

  const good = ports[0]!;
  const anywhere = trap.port;
  /** In Consul an address is any text; what Consul itself refuses is not in the table. */
  const rows: readonly (readonly [
    what: string,
    address: string,
    port: number,
    reason: RegExp,
    meta?: object,
  ])[] = [
    ['a port that is not allowed', '127.0.0.1', anywhere, /port is \d+; it must be in/],
    [
      'a WebSocket port that is not',
      '127.0.0.1',
      good,
      /wsPort is/,
      { 'pinwheel-ws-port': String(anywhere) },
    ],
    ['ssh', '127.0.0.1', 22, /port is 22/],
    ['no port', '127.0.0.1', 0, /port is 0/],
    ['a port beyond all ports', '127.0.0.1', 70_000, /port is 70000/],
    ['another loopback address', '127.0.0.2', good, /must be in 127.0.0.1/],
    ['loopback in IPv6', '::1', good, /must be in 127.0.0.1/],
    ['this host, by name', 'localhost', good, /host names are not taken/],
    ['a name of anybody', 'example.com', good, /host names are not taken/],
    ['a name with a dot behind it', 'localhost.', good, /host names are not taken/],
    ['a metadata service', '169.254.169.254', good, /a metadata service/],
    ['the same, mapped', '::ffff:169.254.169.254', good, /a metadata service/],
    ['the same, mapped, in hex', '::ffff:a9fe:a9fe', good, /a metadata service/],
    ['the same, as NAT64', '64:ff9b::a9fe:a9fe', good, /disguise/],
    ['the same, as 6to4', '2002:a9fe:a9fe::1', good, /disguise/],
    ['the one in IPv6', 'fd00:ec2::254', good, /a metadata service/],
    ['the one by name', 'metadata.google.internal', good, /host names are not taken/],
    ['link-local', '169.254.1.1', good, /link-local/],
    ['link-local in IPv6', 'fe80::1', good, /link-local/],
    ['link-local with a zone', 'fe80::1%lo', good, /must be a host name or an IP address/],
    ['unspecified, mapped', '::ffff:0.0.0.0', good, /connect to|this network/],
    ['multicast', '224.0.0.1', good, /multicast/],
    ['multicast in IPv6', 'ff02::1', good, /multicast/],
    ['broadcast', '255.255.255.255', good, /broadcast/],
    ['a private network that is not ours', '10.0.0.1', good, /must be in 127.0.0.1/],
    ['an address of anybody', '8.8.8.8', good, /must be in 127.0.0.1/],
    ['a number', '2130706433', good, /must be a host name or an IP address/],
    ['octal', '0177.0.0.1', good, /must be a host name or an IP address/],
    ['hexadecimal', '0x7f.0.0.1', good, /must be a host name or an IP address/],
    ['shortened', '127.1', good, /must be a host name or an IP address/],
    ['mapped loopback', '::ffff:127.0.0.2', good, /must be in 127.0.0.1/],
    ['somebody before an @', `127.0.0.1@127.0.0.2`, good, /must be a host name/],
    ['a port in the address', `127.0.0.1:${anywhere}`, good, /must be a host name/],
    ['a path in the address', '127.0.0.1/v1/agent', good, /must be a host name/],
    ['a query in the address', '127.0.0.1?x', good, /must be a host name/],
    ['a fragment in the address', '127.0.0.1#', good, /must be a host name/],
    ['a backslash', '127.0.0.1\\x', good, /must be a host name/],
    ['a line more', '127.0.0.1\r\nX: y', good, /must be a host name/],
    ['brackets', '[::1]', good, /must be a host name/],
    ['full-width digits', '１２７.0.0.1', good, /must be a host name/],
  ];
  const dialled = watchDials(t);
  for (const [i, [, Address, Port, , more]] of rows.entries()) {
    // half of them say that they are nodes, the others are foreign backends
    const node = i % 2 === 0 || more !== undefined ? { 'pinwheel-incarnation': `i${i}` } : {};
    await consul.register({ Name: 'chat', ID: `evil-${i}`, Address, Port, Meta: { ...node, ...more } });
  }
  // a registration at another agent is newer than the good one under the same id, and its address is its agent's
  await consul.api('PUT', '/v1/catalog/register', {
    Node: 'evil-agent',
    Address: '169.254.169.254',
    Service: { ID: 'n1', Service: 'chat', Port: good, Meta: { 'pinwheel-incarnation': 'evil' } },
  });

  const log = recordedLog();
  const tracker = createRingTracker({ membership, log });
  await tracker.start();
  t.teardown(() => tracker.close());
  const expected = rows.length + 1;
  await until('all of them have been seen', () => tracker.status().ignored.length === expected);
  const reasons = new Map(tracker.status().ignored.map(({ id, reason }) => [id, reason]));
  for (const [i, [what, , , reason]] of rows.entries()) {
    t.match(reasons.get(`evil-${i}`), reason, what);
    t.equal(log.lines.filter((line) => line.includes(`"evil-${i}"`)).length, 1, `${what}: said once`);
  }
  t.match(reasons.get('n1'), /a metadata service/, 'under the id of a good member');
  t.same([...tracker.current.members.keys()], ['n1', 'n2']);

  const edge = await createEdge({ id: 'e1', tracker });
  const sender = createSender({ tracker });
  t.teardown(async () => {
    await sender.close();
    await edge.close();
  });
  const users = Array.from({ length: 40 }, (_, i) => `user-${i}`);
  let received = 0;
  for (const user of users) {
    const client = new WebSocket(`ws://127.0.0.1:${edge.port}/ws?user=${user}`);
    t.teardown(() => client.terminate());
    client.on('message', () => received++);
    await new Promise((resolve, reject) => client.once('open', resolve).once('error', reject));
  }
  await until('everybody is attached', () => edge.status.sessionsAttached === users.length);
  const receipts = await sender.sendMany(users, 'hello');
  t.ok(receipts.every(({ status }) => status === 'delivered'));
  t.equal((await sender.broadcast('all')).delivered, users.length);
  await until('everything has come', () => received === 2 * users.length);

  // who vanishes is asked whether it is still there
  for (const i of rows.keys()) await consul.deregister(`evil-${i}`);
  await until('they have gone', () => tracker.status().ignored.length === 1);
  t.same([...tracker.current.members.keys()], ['n1', 'n2']);

  const mine = new Set([consul.port, edge.port, ...ports].map((port) => `127.0.0.1:${port}`));
  t.same(
    [...new Set(dialled)].filter((address) => !mine.has(address)),
    [],
    'nobody else was dialled',
  );
  t.ok(dialled.length > users.length, 'and what is dialled is seen');
  t.equal(trap.connections(), 0);
});

t.test('a node does not register where nobody would dial it', async (t) => {
  const consul = await startConsul(t);
  const start = (host: string, addresses: AddressRuleOptions = {}) => {
    const membership = consulMembership({ port: consul.port, service: 'chat', addresses });
    t.teardown(() => membership.close());
    return createNode({ id: 'n1', membership, host, bindHost: '127.0.0.1' });
  };
  await t.rejects(start('localhost'), { code: 'bad-option', message: /host names are not taken/ });
  await t.rejects(start('169.254.1.1'), { code: 'bad-option', message: /link-local/ });
  await t.rejects(start('127.0.0.1', { allowPorts: ['1'] }), { code: 'bad-option', message: /in 1 / });
  const named = await start('localhost', { allowDnsNames: true });
  await named.ready();
  await named.close();
});
