import { performance } from 'node:perf_hooks';
import { createSender, type Sender } from '@pinwheel/sender';
import t, { type Test } from 'tap';
import { Ledger } from './kit/ledger.js';
import { LinkService } from './kit/link-service.js';
import { PlainClient } from './kit/plain-client.js';
import { SdkClient } from './kit/sdk-client.js';
import { until } from './kit/until.js';

const userCount = 2000;
/** Four messages every two milliseconds. */
const atOnce = 4;
const everyMs = 2;
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

  await t.test('a fourth node joins: nobody notices, in either direction', async (t) => {
    const inbound = new InboundLoad(clients);
    const traffic = new Traffic(sender, clients);
    inbound.start();
    await service.startNode('n4');
    await service.ringOf('n1', 'n2', 'n3', 'n4');
    await service.settled(userCount);
    await inbound.pause();
    await traffic.pause();
    t.same(closed(), [], 'no client lost its socket');
    await honest(t, traffic);
    t.same(
      sdkClients.filter(({ recoveries }) => recoveries.length !== 1).map(({ user }) => user),
      [],
      'nobody was told anything',
    );
    await inbound.arrivedOnceAndInOrder(t, service);
  });

  await t.test('it drains: nobody notices, and it exits with 0', async (t) => {
    forget();
    const inbound = new InboundLoad(clients);
    const traffic = new Traffic(sender, clients);
    inbound.start();
    const n4 = service.nodes.get('n4')!;
    n4.signal('SIGTERM');
    t.equal(await n4.exit, 0);
    service.nodes.delete('n4');
    await service.ringOf('n1', 'n2', 'n3');
    await service.settled(userCount);
    await inbound.pause();
    await traffic.pause();
    t.same(closed(), [], 'no client lost its socket');
    await honest(t, traffic);
    t.same(
      sdkClients.filter(({ recoveries }) => recoveries.length > 0).length,
      0,
      'nobody was told anything',
    );
    await inbound.arrivedOnceAndInOrder(t, service);
  });

  await t.test('a node dies by SIGKILL: its users are attached elsewhere, their sockets open', async (t) => {
    forget();
    const lost = [...clients.keys()].filter((user) => service.tracker.current.ring.owner(user) === 'n3');
    const traffic = new Traffic(sender, clients);
    service.nodes.get('n3')!.signal('SIGKILL');
    const killedAt = performance.now();
    service.nodes.delete('n3');
    const reachable = await Promise.all(
      lost.map(async (user) => {
        const isReached = async (): Promise<boolean> => (await traffic.send(user)).status === 'delivered';
        await until(`${user} is reachable`, isReached, calm);
        return performance.now() - killedAt;
      }),
    );
    await service.ringOf('n1', 'n2');
    await service.settled(userCount);
    await traffic.pause();
    t.same(closed(), [], 'no client lost its socket');
    t.comment(`${lost.length} users of the dead node: reachable again ${spreadOf(reachable)}`);
    t.ok(percentile(reachable, 99) < 5000, 'within 5 s');
    const told = sdkClients.filter(({ recoveries }) => recoveries.length > 0);
    t.ok(
      told.every(
        ({ user, recoveries }) => lost.includes(user) && recoveries.every((recovered) => !recovered),
      ),
      'only they are told, and the truth: what the dead node alone had is lost',
    );
    await honest(t, traffic);
    t.equal(
      traffic.ledger.audit().byStatus['offline'] ?? 0,
      0,
      'whose socket is open is never called absent',
    );
    await service.startNode('n3');
    await service.ringOf('n1', 'n2', 'n3');
    await service.settled(userCount);
  });

  await t.test('an edge dies by SIGKILL: its clients resume at the other one', async (t) => {
    forget();
    await service.startEdge('e3');
    const traffic = new Traffic(sender, new Map(sdkClients.map((client) => [client.user, client])));
    const e1 = service.edges.get('e1')!;
    service.edges.delete('e1');
    e1.signal('SIGKILL');
    await until('somebody noticed', () => closed().length > 0, calm);
    await everybodyIsConnected();
    await traffic.pause();
    const returned = sdkClients.filter(({ closes }) => closes > 0);
    t.ok(returned.length > 100, `${returned.length} clients of pinwheel.v1 came back`);
    t.ok(
      returned.every(({ recoveries }) => recoveries.every((recovered) => recovered)),
      'and have missed nothing',
    );
    await honest(t, traffic);
    await service.settled(userCount);
  });

  await t.test('an edge drains: its clients are told when to come, and resume', async (t) => {
    forget();
    const traffic = new Traffic(sender, new Map(sdkClients.map((client) => [client.user, client])));
    const e2 = service.edges.get('e2')!;
    service.edges.delete('e2');
    e2.signal('SIGTERM');
    t.equal(await e2.exit, 0);
    await everybodyIsConnected();
    await traffic.pause();
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
    await honest(t, traffic);
    await service.settled(userCount);
  });

  await t.test('a node stands still for 15 s and goes on', async (t) => {
    await service.startEdge('e4');
    forget();
    const traffic = new Traffic(sender, clients);
    const n2 = service.nodes.get('n2')!;
    const lost = [...clients.keys()].filter((user) => service.tracker.current.ring.owner(user) === 'n2');
    n2.signal('SIGSTOP');
    const stoppedAt = performance.now();
    await until('the ring is without it', () => !isMember(service, 'n2'), calm);
    const reachable = await Promise.all(
      lost.map(async (user) => {
        const isReached = async (): Promise<boolean> => (await traffic.send(user)).status === 'delivered';
        await until(`${user} is reachable`, isReached, calm);
        return performance.now() - stoppedAt;
      }),
    );
    t.comment(`${lost.length} users of the stopped node: reachable again ${spreadOf(reachable)}`);
    await until('15 s are over', () => performance.now() - stoppedAt > stoppedMs, calm);
    n2.signal('SIGCONT');
    await service.ringOf('n1', 'n2', 'n3');
    await service.settled(userCount);
    await traffic.pause();
    t.same(closed(), [], 'no client lost its socket');
    await honest(t, traffic, 'and what the node had kept comes late');
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

function isMember({ tracker }: LinkService, id: string): boolean {
  return tracker.current.ring.members.some((member) => member.id === id);
}

/** Messages to everybody in turn, from the moment that it is made; each with its time until it came. */
class Traffic {
  readonly ledger: Ledger;
  readonly #users: readonly string[];
  readonly #receipts: Promise<unknown>[] = [];
  readonly #receiptMs: number[] = [];
  readonly #timer: NodeJS.Timeout;
  #next = 0;

  constructor(sender: Sender, clients: ReadonlyMap<string, Client>) {
    this.ledger = new Ledger(sender, clients);
    this.#users = [...clients.keys()];
    this.#timer = setInterval(() => {
      for (let i = 0; i < atOnce; i++) void this.send(this.#users[this.#next++ % this.#users.length]!);
    }, everyMs);
  }

  send(user: string): ReturnType<Ledger['send']> {
    const at = performance.now();
    const receipt = this.ledger.send(user);
    this.#receipts.push(receipt.then(() => this.#receiptMs.push(performance.now() - at)));
    return receipt;
  }

  /** Resolves when every message has its receipt. */
  async pause(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#receipts);
  }

  get times(): string {
    return spreadOf(this.#receiptMs);
  }
}

/** Clients send numbered messages to the application, one after the other. */
class InboundLoad {
  readonly #clients: readonly Client[];
  readonly #prefix = `c${Math.random().toString(36).slice(2, 8)}-`;
  readonly #sent = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #next = 0;

  constructor(clients: ReadonlyMap<string, Client>) {
    this.#clients = [...clients.values()].filter((_, i) => i % 5 === 0);
  }

  start(): void {
    this.#timer = setInterval(() => {
      const client = this.#clients[this.#next++ % this.#clients.length]!;
      const number = this.#sent.get(client.user) ?? 0;
      this.#sent.set(client.user, number + 1);
      void client.send(`${this.#prefix}${number}`);
    }, everyMs);
  }

  async pause(): Promise<void> {
    clearInterval(this.#timer);
  }

  async arrivedOnceAndInOrder(t: Test, service: LinkService): Promise<void> {
    const arrived = async (): Promise<ReadonlyMap<string, readonly number[]>> => {
      const byUser = new Map<string, number[]>();
      for (const { user, data } of await service.taken()) {
        if (!data.startsWith(this.#prefix)) continue;
        const numbers = byUser.get(user) ?? [];
        byUser.set(user, numbers);
        numbers.push(Number(data.slice(this.#prefix.length)));
      }
      return byUser;
    };
    const total = [...this.#sent.values()].reduce((sum, count) => sum + count, 0);
    const countOf = (all: ReadonlyMap<string, readonly number[]>): number =>
      [...all.values()].reduce((sum, numbers) => sum + numbers.length, 0);
    await until('the application has got everything', async () => countOf(await arrived()) >= total, calm);
    const wrong = [...(await arrived())].filter(([, numbers]) => numbers.some((number, i) => number !== i));
    t.same(wrong, [], `${total} messages of clients came once and in order`);
  }
}

/** Every receipt is true: what it says came, once, in order, and nothing else. */
async function honest(t: Test, traffic: Traffic, more = ''): Promise<void> {
  await until('what was delivered has come', () => traffic.ledger.audit().lost.length === 0, {
    deadlineMs: 20_000,
    everyMs: 200,
  }).catch(() => {});
  const { sent, byStatus, ...wrong } = traffic.ledger.audit();
  t.comment(`${sent} messages: ${JSON.stringify(byStatus)}; time to the receipt ${traffic.times}`);
  const counts = Object.fromEntries(Object.entries(wrong).map(([what, which]) => [what, which.slice(0, 5)]));
  t.same(
    counts,
    { lost: [], duplicated: [], denied: [], others: [], disordered: [] },
    `every receipt is true ${more}`,
  );
}

function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? 0;
}

function spreadOf(values: readonly number[]): string {
  const at = (percent: number): string => `${Math.round(percentile(values, percent))} ms`;
  return `median ${at(50)}, p99 ${at(99)}, longest ${at(100)}`;
}
