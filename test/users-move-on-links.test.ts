import { performance } from 'node:perf_hooks';
import { createSender } from '@pinwheel/sender';
import t from 'tap';
import { InboundLoad } from './kit/inbound-load.js';
import { LinkService } from './kit/link-service.js';
import { PlainClient } from './kit/plain-client.js';
import { SdkClient } from './kit/sdk-client.js';
import { percentile, spreadOf } from './kit/spread.js';
import { Traffic } from './kit/traffic.js';
import { until } from './kit/until.js';

const userCount = 2000;
/** Of traffic, however soon it is over that it is there for. */
const leastMs = 5000;
const stoppedMs = 15_000;
const calm = { deadlineMs: 60_000 };

type Client = PlainClient | SdkClient;

t.test('a real Consul, three nodes, two link edges, 2,000 users and 2,000 messages a second', async (t) => {
  const service = await LinkService.start(t, ['n1', 'n2', 'n3'], ['e1', 'e2']);
  const clients = new Map<string, Client>();
  for (let i = 0; i < userCount; i++) {
    const user = `user-${i}`;
    // every other one is a plain WebSocket
    const client =
      i % 2 === 0 ? new SdkClient(t, user, service.someEdge) : new PlainClient(t, user, service.someEdge);
    clients.set(user, client);
  }
  const sdkClients = [...clients.values()].filter((client) => client instanceof SdkClient);
  const sender = createSender({ tracker: service.tracker });
  t.teardown(() => sender.close());
  const everybodyIsConnected = (): Promise<boolean> =>
    until(
      'everybody is connected',
      () => [...clients.values()].every(({ isConnected }) => isConnected),
      calm,
    );
  await everybodyIsConnected();
  await service.settled(userCount);

  const closesOf = (client: Client): number =>
    typeof client.closes === 'number' ? client.closes : client.closes.length;
  const closed = (): readonly string[] =>
    [...clients.values()].filter((client) => closesOf(client) > 0).map(({ user }) => user);
  const forget = (): void => {
    for (const client of clients.values()) client.forget();
  };
  const usersOf = (node: string): ReadonlySet<string> => {
    const { ring } = service.tracker.current;
    return new Set([...clients.keys()].filter((user) => ring.owner(user) === node));
  };
  /** Whose socket does not end with this edge, or who resumes and loses nothing. */
  const staying = (edge: string): ReadonlyMap<string, Client> => {
    const { port } = service.edges.get(edge)!.facts;
    const isThere = (client: Client): boolean => client.edge === `ws://127.0.0.1:${port}`;
    return new Map([...clients].filter(([, client]) => client instanceof SdkClient || !isThere(client)));
  };
  const start = (some: ReadonlyMap<string, Client> = clients) => {
    forget();
    return { traffic: new Traffic(sender, some), inbound: new InboundLoad(some) };
  };
  const stop = async ({ traffic, inbound }: ReturnType<typeof start>): Promise<void> => {
    await traffic.lasted(leastMs);
    inbound.pause();
    await traffic.pause();
  };
  /** Whoever is handed over has no session for the moment until its edge has attached it. */
  const queuedFew = (movers: ReadonlySet<string>) => ({
    users: movers,
    statuses: ['queued'],
    most: Math.ceil(movers.size / 10),
  });
  /** How long after `since` each of these users gets messages. */
  const reachableAfter = (traffic: Traffic, users: ReadonlySet<string>, since: number) =>
    Promise.all(
      [...users].map(async (user) => {
        const isReached = async (): Promise<boolean> => (await traffic.send(user)).status === 'delivered';
        await until(`${user} is reachable`, isReached, calm);
        return performance.now() - since;
      }),
    );

  await t.test('a fourth node joins: nobody notices, in either direction', async (t) => {
    const load = start();
    await service.startNode('n4');
    await service.ringOf('n1', 'n2', 'n3', 'n4');
    await service.settled(userCount);
    await stop(load);
    const movers = usersOf('n4');
    t.same(closed(), [], 'no client lost its socket');
    await load.traffic.isTrue(t, queuedFew(movers));
    load.traffic.reportGaps(t, movers);
    t.same(
      sdkClients.filter(({ recoveries }) => recoveries.length > 0).map(({ user }) => user),
      [],
      'nobody was told anything',
    );
    await load.inbound.arrivedOnceAndInOrder(t, service);
  });

  await t.test('it drains: nobody notices, and it exits with 0', async (t) => {
    const movers = usersOf('n4');
    const load = start();
    const n4 = service.nodes.get('n4')!;
    n4.signal('SIGTERM');
    t.equal(await n4.exit, 0);
    service.nodes.delete('n4');
    await service.ringOf('n1', 'n2', 'n3');
    await service.settled(userCount);
    await stop(load);
    t.same(closed(), [], 'no client lost its socket');
    await load.traffic.isTrue(t, queuedFew(movers));
    load.traffic.reportGaps(t, movers);
    t.same(
      sdkClients.filter(({ recoveries }) => recoveries.length > 0).length,
      0,
      'nobody was told anything',
    );
    await load.inbound.arrivedOnceAndInOrder(t, service);
  });

  await t.test('a node dies by SIGKILL: its users are attached elsewhere, their sockets open', async (t) => {
    const lost = usersOf('n3');
    const load = start();
    const { traffic } = load;
    service.nodes.get('n3')!.signal('SIGKILL');
    const killedAt = performance.now();
    service.nodes.delete('n3');
    const reachable = await reachableAfter(traffic, lost, killedAt);
    await service.ringOf('n1', 'n2');
    await service.settled(userCount);
    await stop(load);
    t.same(closed(), [], 'no client lost its socket');
    t.comment(`${lost.size} users of the dead node: reachable again ${spreadOf(reachable)}`);
    t.ok(percentile(reachable, 99) < 5000, 'within 5 s');
    const told = sdkClients.filter(({ recoveries }) => recoveries.length > 0);
    t.ok(
      told.every(({ user, recoveries }) => lost.has(user) && recoveries.every((recovered) => !recovered)),
      'only they are told, and the truth: what the dead node alone had is lost',
    );
    // whose socket is open is never called absent
    await traffic.isTrue(t, { users: lost, statuses: ['overloaded', 'queued'], most: lost.size });
    traffic.reportGaps(t, lost);
    await load.inbound.arrivedOnceAndInOrder(t, service, lost);
    await service.startNode('n3');
    await service.ringOf('n1', 'n2', 'n3');
    await service.settled(userCount);
  });

  await t.test('an edge dies by SIGKILL: its clients resume at the other one', async (t) => {
    await service.startEdge('e3');
    const load = start(staying('e1'));
    const e1 = service.edges.get('e1')!;
    service.edges.delete('e1');
    e1.signal('SIGKILL');
    await until('somebody noticed', () => closed().length > 0, calm);
    await everybodyIsConnected();
    await stop(load);
    const returned = sdkClients.filter(({ closes }) => closes > 0);
    t.ok(returned.length > 100, `${returned.length} clients of pinwheel.v1 came back`);
    t.ok(
      returned.every(({ recoveries }) => recoveries.every((recovered) => recovered)),
      'and have missed nothing',
    );
    const users = new Set(returned.map(({ user }) => user));
    await load.traffic.isTrue(t, { users, statuses: ['queued'], most: 5 * users.size });
    await load.inbound.arrivedOnceAndInOrder(t, service);
    await service.settled(userCount);
  });

  await t.test('an edge drains: its clients are told when to come, and resume', async (t) => {
    const load = start(staying('e2'));
    const e2 = service.edges.get('e2')!;
    service.edges.delete('e2');
    e2.signal('SIGTERM');
    t.equal(await e2.exit, 0);
    await everybodyIsConnected();
    await stop(load);
    const returned = sdkClients.filter(({ closes }) => closes > 0);
    t.ok(returned.length > 100, `${returned.length} clients of pinwheel.v1 came back`);
    t.ok(
      returned.every(({ recoveries }) => recoveries.every((recovered) => recovered)),
      'and missed nothing',
    );
    const plain = [...clients.values()].flatMap((client) =>
      client instanceof PlainClient ? client.closes : [],
    );
    t.ok(plain.length > 0 && plain.every(({ code }) => code === 4000), 'plain clients are closed with 4000');
    const users = new Set(returned.map(({ user }) => user));
    await load.traffic.isTrue(t, { users, statuses: ['queued'], most: 5 * users.size });
    await load.inbound.arrivedOnceAndInOrder(t, service);
    await service.settled(userCount);
  });

  await t.test('a node stands still for 15 s and goes on', async (t) => {
    await service.startEdge('e4');
    const lost = usersOf('n2');
    const load = start();
    const { traffic } = load;
    const n2 = service.nodes.get('n2')!;
    n2.signal('SIGSTOP');
    const stoppedAt = performance.now();
    await until(
      'the ring is without it',
      () => !service.tracker.current.ring.members.some(({ id }) => id === 'n2'),
      calm,
    );
    const reachable = await reachableAfter(traffic, lost, stoppedAt);
    t.comment(`${lost.size} users of the stopped node: reachable again ${spreadOf(reachable)}`);
    t.ok(percentile(reachable, 100) < stoppedMs, 'long before it goes on');
    await until('15 s are over', () => performance.now() - stoppedAt > stoppedMs, calm);
    n2.signal('SIGCONT');
    await service.ringOf('n1', 'n2', 'n3');
    await service.settled(userCount);
    await stop(load);
    t.same(closed(), [], 'no client lost its socket');
    // what the node had kept comes late
    await traffic.isTrue(t, { users: lost, statuses: ['overloaded', 'queued'], most: lost.size });
    traffic.reportGaps(t, lost);
    await load.inbound.arrivedOnceAndInOrder(t, service, lost);
  });

  await t.test('SIGTERM ends the rest', async (t) => {
    for (const client of clients.values()) void client.stop();
    const rest = [...service.edges.values(), ...service.nodes.values()];
    for (const { signal } of rest) signal('SIGTERM');
    t.same(
      await Promise.all(rest.map(({ exit }) => exit)),
      rest.map(() => 0),
    );
  });
});
