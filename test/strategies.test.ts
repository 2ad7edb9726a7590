import type { Receipt } from '@pinwheel/protocol';
import type { StrategySettings } from '@pinwheel/strategy';
import t from 'tap';
import type { PlainClient } from './kit/plain-client.js';
import { startNats, startRedis } from './kit/queues.js';
import { StrategyService } from './kit/strategy-service.js';
import { until } from './kit/until.js';

const redis = await startRedis(t);
const nats = await startNats(t);

interface Variant {
  readonly name: string;
  readonly settings: StrategySettings;
  /** What a receipt says of a user who is connected, and of one who is not. */
  readonly here: Receipt['status'];
  readonly away: Receipt['status'];
  /** Payload copies between sender and nodes, of one message on so many nodes. */
  readonly copies: (nodes: number) => number;
}

const variants: readonly Variant[] = [
  {
    name: 'ring',
    settings: { strategy: 'ring' },
    here: 'delivered',
    away: 'offline',
    copies: () => 1,
  },
  {
    name: 'ring, everybody by a Redis',
    settings: { strategy: 'ring', redis: redis.url, prefix: 'hybrid' },
    here: 'delivered',
    away: 'offline',
    copies: () => 1,
  },
  {
    name: 'broadcast on Redis',
    settings: { strategy: 'broadcast', redis: redis.url, prefix: 'cast' },
    here: 'published',
    away: 'published',
    copies: (nodes) => nodes + 1,
  },
  {
    name: 'broadcast on NATS',
    settings: { strategy: 'broadcast', nats: nats.url },
    here: 'published',
    away: 'published',
    copies: (nodes) => nodes + 1,
  },
  {
    name: 'registry on Redis',
    settings: { strategy: 'registry', redis: redis.url, prefix: 'book', leaseMs: 3000 },
    here: 'published',
    away: 'offline',
    copies: () => 2,
  },
  {
    name: 'registry on Redis, queue on NATS',
    settings: { strategy: 'registry', redis: redis.url, nats: nats.url, prefix: 'both' },
    here: 'published',
    away: 'offline',
    copies: () => 2,
  },
];

for (const variant of variants) {
  t.test(variant.name, async (t) => {
    const { settings, here, away, copies } = variant;
    const isRing = settings.strategy === 'ring';
    const service = await StrategyService.start(t, settings);

    t.test('a message reaches its user, whatever the id, as it was sent', async (t) => {
      for (const user of ['anne', '__proto__', 'ünï cödé 👋', 'a/b?c#d', 'x'.repeat(256)]) {
        const client = await service.connectByEdge(user);
        const receipt = await service.sender.send(user, `for ${user}`);
        t.match(receipt, { user, status: here });
        await until(`${user} has it`, () => client.received.length === 1);
        t.equal(client.received[0], `for ${user}`);
      }
    });

    t.test('a user whom nobody has', async (t) => {
      t.match(await service.sender.send('nobody', 'x'), { user: 'nobody', status: away });
    });

    t.test('messages come once and in order, and are counted on their way', async (t) => {
      const users = Array.from({ length: 40 }, (_, i) => `user-${i}`);
      const clients: PlainClient[] = [];
      for (const user of users) clients.push(await service.connectByEdge(user));
      const perUser = 100;
      // nodes have joined: where they were not before users are found by way of their former owners, once
      for (const user of users) await service.sender.send(user, 'first');
      for (const client of clients) {
        await until(`${client.user} is found`, () => client.received.length === 1);
        client.received.length = 0;
      }
      const before = await copiesOf(service);
      const receipts: Promise<Receipt>[] = [];
      for (let i = 0; i < perUser; i++) {
        for (const user of users) receipts.push(service.sender.send(user, String(i)));
      }
      const statuses = new Set((await Promise.all(receipts)).map(({ status }) => status));
      t.same([...statuses], [here]);
      const wanted = Array.from({ length: perUser }, (_, i) => String(i));
      for (const client of clients) {
        await until(`${client.user} has them all`, () => client.received.length >= perUser);
        t.same(client.received, wanted);
      }
      const sent = users.length * perUser;
      t.equal((await copiesOf(service)) - before, sent * copies(3), `${copies(3)} copies a message`);
    });

    t.test('several sessions of a user', async (t) => {
      // where no node owns a user, they may be anywhere
      const places = isRing ? [] : ['n1', 'n2', 'n3', 'n3'];
      const clients = isRing
        ? [await service.connectByEdge('alice'), await service.connectByEdge('alice')]
        : await Promise.all(places.map((id) => service.connectTo(id, 'alice')));
      await until('all sessions are known', async () => {
        const { body } = await service.call('n1', 'GET', '/v1/users/alice');
        return (body['sessions'] as unknown[]).length === clients.length;
      });
      await service.routesWritten();
      t.match(await service.sender.send('alice', 'to each'), { status: here });
      for (const client of clients) await until('it has come', () => client.received.length === 1);
      const { body } = await service.call('n2', 'DELETE', '/v1/users/alice/sessions');
      t.match(body, { user: 'alice', closed: clients.length });
      for (const client of clients) await until('it is closed', () => client.closes.length === 1);
    });

    t.test('everybody is reached', async (t) => {
      const clients: PlainClient[] = [];
      for (let i = 0; i < 9; i++) clients.push(await service.connectByEdge(`one-of-all-${i}`));
      const receipt = await service.sender.broadcast('to all');
      if (settings.redis === undefined && settings.nats === undefined) {
        t.match(receipt, { nodes: 3 });
        t.ok(receipt.delivered! >= 9);
      } else t.same(receipt, settings.nats === undefined ? { nodes: 3 } : {}, 'nobody answers');
      const { status } = await service.call('n1', 'POST', '/v1/broadcast', 'by the API');
      t.equal(status, settings.redis === undefined && settings.nats === undefined ? 200 : 202);
      for (const client of clients) {
        await until(`${client.user} has both`, () => client.received.length === 2);
        t.same(client.received, ['to all', 'by the API']);
      }
    });

    t.test('the API of any node takes messages', async (t) => {
      const client = await service.connectByEdge('alina');
      const code = here === 'delivered' ? 200 : 202;
      for (const id of ['n1', 'n2', 'n3']) {
        const { status, body } = await service.call(id, 'POST', '/v1/users/alina/messages', `by ${id}`);
        t.match({ status, body }, { status: code, body: { user: 'alina', status: here } });
      }
      await until('all have come', () => client.received.length === 3);
      t.same([...client.received].sort(), ['by n1', 'by n2', 'by n3']);
      const absent = await service.call('n1', 'POST', '/v1/users/nobody/messages', 'x');
      t.match(absent, { status: away === 'offline' ? 404 : 202, body: { status: away } });
    });

    t.test('a receipt that waits for the client', async (t) => {
      await service.connectByEdge('alan');
      const waiting = { 'pinwheel-wait': 'client' };
      if (isRing) {
        // a plain client acknowledges nothing, and that is said
        const receipt = await service.sender.send('alan', 'x', { wait: 'client' });
        t.match(receipt, { status: 'overloaded', error: { code: 'unknown-outcome' } });
        return;
      }
      await t.rejects(service.sender.send('alan', 'x', { wait: 'client' }), {
        code: 'bad-option',
        message: `wait is "client"; it must be missing, as with the strategy ${settings.strategy} nobody answers`,
      });
      const { status, body } = await service.call('n1', 'POST', '/v1/users/alan/messages', 'x', waiting);
      t.match({ status, body }, { status: 400, body: { error: { code: 'bad-request' } } });
    });

    t.test(
      'a node joins and one drains under messages: no socket closes, nothing is lost or twice',
      async (t) => {
        const service = await StrategyService.start(t, settings, ['n1', 'n2', 'n3'], { usersPerSecond: 200 });
        const clients: PlainClient[] = [];
        for (let i = 0; i < 60; i++) clients.push(await service.connectByEdge(`user-${i}`));
        const flow = new Flow(service, clients);
        await service.startNode('n4', { usersPerSecond: 200 });
        await flow.rounds(20);
        await service.node('n1').drain();
        service.nodes.delete('n1');
        await flow.rounds(20);
        await flow.end();
        flow.statuses.delete('queued');
        t.same([...flow.statuses], [here]);
        const wanted = Array.from({ length: flow.sent }, (_, i) => String(i));
        for (const client of clients) {
          await until(`${client.user} has all`, () => client.received.length >= flow.sent);
          // two nodes hear of a user on the move: without an owner, messages of that moment may pass one another
          const came = isRing ? client.received : client.received.toSorted((a, b) => Number(a) - Number(b));
          t.same(came, wanted, client.user);
          t.same(client.closes, [], 'and kept its connection');
        }
      },
    );
  });
}

/** A message for each of the clients, round after round, a few on their way at a time. */
class Flow {
  readonly statuses = new Set<string>();
  sent = 0;
  readonly #service: StrategyService;
  readonly #clients: readonly PlainClient[];
  readonly #running: Promise<void>;
  #isOver = false;

  constructor(service: StrategyService, clients: readonly PlainClient[]) {
    this.#service = service;
    this.#clients = clients;
    this.#running = this.#run();
  }

  async rounds(count: number): Promise<void> {
    const last = this.sent + count;
    await until(`${last} rounds are sent`, () => this.sent >= last);
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      const data = String(this.sent);
      const each = this.#clients.map(({ user }) => this.#service.sender.send(user, data));
      for (const { status } of await Promise.all(each)) this.statuses.add(status);
      this.sent++;
      await new Promise(setImmediate);
    }
  }
}

/** Payload copies that have crossed a process boundary: out of the sender, out of the queue, from node to node. */
async function copiesOf(service: StrategyService): Promise<number> {
  const received = await service.metric('pinwheel_node_queue_copies_total');
  const forwarded = await service.metric('pinwheel_node_forwarded_total');
  return service.sender.counters().traffic.copies + received + forwarded;
}
