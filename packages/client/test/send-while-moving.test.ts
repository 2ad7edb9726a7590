import { createEdge } from '@pinwheel/edge';
import { inProcessMembership } from '@pinwheel/membership';
import { createNode, type PinwheelNode } from '@pinwheel/node';
import { buildRing } from '@pinwheel/ring';
import t from 'tap';
import { WebSocket } from 'ws';
import { until } from '../../../test/kit/until.js';
import { connect } from '../src/index.js';
import { pathOf } from './kit/service.js';

const tracking = { joinQuietMs: 10, joinLongestMs: 50, vanishGraceMs: 20, reprobeMs: 10, probeTries: 1 };

t.test(
  'a send waits for the other client, and its own session moves meanwhile: the receipt comes',
  async (t) => {
    const membership = inProcessMembership();
    const start = async (id: string): Promise<PinwheelNode> => {
      const node = await createNode({ id, membership, tracking, onSend: () => true });
      t.teardown(() => node.close());
      await node.ready();
      return node;
    };
    const [n1, n2] = [await start('n1'), await start('n2')];
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
    const [sender, other] = [userOf('n1', 'n3'), userOf('n2', 'n2')];
    const hasSession = async ({ port }: PinwheelNode, user: string): Promise<boolean> => {
      const answer = await fetch(`http://127.0.0.1:${port}/v1/users/${user}`, {
        headers: { 'pinwheel-no-forward': '1' },
      });
      return answer.ok && ((await answer.json()) as { sessions: unknown[] }).sessions.length > 0;
    };
    const open = (user: string, webSocket = WebSocket) => {
      const connection = connect(`ws://127.0.0.1:${edge.port}${pathOf(user)}`, {
        webSocket,
        sendTimeoutMs: 20_000,
        retry: { firstMs: 20, longestMs: 100 },
      });
      t.teardown(() => connection.close());
      return connection;
    };

    // it is there, and then away with its socket until it may dial again
    let mayDial = true;
    const sockets: WebSocket[] = [];
    class Dialling extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(mayDial ? url : 'ws://127.0.0.1:1/', protocols);
        sockets.push(this);
      }
    }
    const away = open(other, Dialling as typeof WebSocket);
    const connection = open(sender);
    await until(
      'both are there',
      async () => (await hasSession(n1, sender)) && (await hasSession(n2, other)),
    );
    mayDial = false;
    sockets[0]!.terminate();
    await until('it is away', () => away.status.state !== 'connected');
    const receipt = connection.sendTo(other, 'hello', { wait: 'client' });
    const n3 = await start('n3');
    await until('the session has moved', () => hasSession(n3, sender));
    mayDial = true;
    t.match(await receipt, { user: other, status: 'delivered', sessions: 1 });
    t.equal(connection.status.state, 'connected', 'its client has seen nothing of it');
  },
);
