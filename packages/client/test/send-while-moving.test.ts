import { createEdge } from '@pinwheel/edge';
import { inProcessMembership } from '@pinwheel/membership';
import { createNode, type PinwheelNode } from '@pinwheel/node';
import { buildRing } from '@pinwheel/ring';
import t, { type Test } from 'tap';
import { WebSocket } from 'ws';
import { until } from '../../../test/kit/until.js';
import { type Connection, connect } from '../src/index.js';
import { pathOf } from './kit/service.js';

const tracking = { joinQuietMs: 10, joinLongestMs: 50, vanishGraceMs: 20, reprobeMs: 10, probeTries: 1 };

/** Two nodes, a third to come, and an edge. */
async function start(t: Test) {
  const membership = inProcessMembership();
  const startNode = async (id: string): Promise<PinwheelNode> => {
    const node = await createNode({ id, membership, tracking, onSend: () => true });
    t.teardown(() => node.close());
    await node.ready();
    return node;
  };
  const [n1, n2] = [await startNode('n1'), await startNode('n2')];
  const edge = await createEdge({ id: 'e1', membership, tracking });
  t.teardown(() => edge.close());
  const rings = [
    ['n1', 'n2'],
    ['n1', 'n2', 'n3'],
  ].map((ids) => buildRing(ids.map((id) => ({ id }))));
  const userOf = (...owners: readonly string[]): string => {
    for (let i = 0; ; i++)
      if (rings.every((ring, r) => ring.owner(`user-${i}`) === owners[r])) return `user-${i}`;
  };
  const hasSession = async ({ port }: PinwheelNode, user: string): Promise<boolean> => {
    const answer = await fetch(`http://127.0.0.1:${port}/v1/users/${user}`, {
      headers: { 'pinwheel-no-forward': '1' },
    });
    return answer.ok && ((await answer.json()) as { sessions: unknown[] }).sessions.length > 0;
  };
  // each is there, and then away with its socket until it may dial again
  const sender = new Person(t, edge.port, userOf('n1', 'n3'));
  const other = new Person(t, edge.port, userOf('n2', 'n2'));
  await until(
    'both are there',
    async () => (await hasSession(n1, sender.user)) && (await hasSession(n2, other.user)),
  );
  return { startNode, hasSession, sender, other, n1 };
}

class Person {
  readonly user: string;
  readonly connection: Connection;
  #mayDial = true;
  readonly #sockets: WebSocket[] = [];

  constructor(t: Test, port: number, user: string) {
    this.user = user;
    const url = (wanted: string): string => (this.#mayDial ? wanted : 'ws://127.0.0.1:1/');
    const sockets = this.#sockets;
    class Dialling extends WebSocket {
      constructor(wanted: string, protocols: string[]) {
        super(url(wanted), protocols);
        sockets.push(this);
      }
    }
    this.connection = connect(`ws://127.0.0.1:${port}${pathOf(user)}`, {
      webSocket: Dialling as typeof WebSocket,
      sendTimeoutMs: 20_000,
      retry: { firstMs: 20, longestMs: 100 },
    });
    t.teardown(() => this.connection.close());
  }

  async away(): Promise<void> {
    this.#mayDial = false;
    this.#sockets.at(-1)!.terminate();
    await until('it is away', () => this.connection.status.state !== 'connected');
  }

  back(): void {
    this.#mayDial = true;
  }
}

t.test('a send waits for the other client, and its own session moves: the receipt comes', async (t) => {
  const { startNode, hasSession, sender, other } = await start(t);
  await other.away();
  const receipt = sender.connection.sendTo(other.user, 'hello', { wait: 'client' });
  const n3 = await startNode('n3');
  await until('the session has moved', () => hasSession(n3, sender.user));
  other.back();
  t.match(await receipt, { user: other.user, status: 'delivered', sessions: 1 });
  t.equal(sender.connection.status.state, 'connected', 'its client has seen nothing of it');
});

t.test('and when its client is away as the other one acknowledges, and comes back', async (t) => {
  const { startNode, hasSession, sender, other, n1 } = await start(t);
  await other.away();
  const receipt = sender.connection.sendTo(other.user, 'hello', { wait: 'client' });
  await until('it is taken', async () => {
    const text = await (await fetch(`http://127.0.0.1:${n1.port}/metrics`)).text();
    return /^pinwheel_node_client_sends_total 1$/m.test(text);
  });
  await sender.away();
  other.back();
  await until('the other one has come back', () => other.connection.status.state === 'connected');
  const n3 = await startNode('n3');
  await until('the session has moved', () => hasSession(n3, sender.user));
  sender.back();
  t.match(await receipt, { user: other.user, status: 'delivered', sessions: 1 });
});
