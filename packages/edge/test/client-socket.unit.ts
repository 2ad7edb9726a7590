import type { Place, WebSocket } from '@pinwheel/server';
import t from 'tap';
import { ClientSocket, type ClientSocketData } from '../src/link-sockets/client-socket.js';
import { member, World } from './link-world.js';

t.test('a client that sends pings and does not read the answers', async (t) => {
  const world = new World([member('n1')]);
  const place = { sent: () => true } as unknown as Place;
  let unread = 0;
  let closedWith: number | undefined;
  const socket = {
    send: () => 1,
    getBufferedAmount: () => unread,
    end: (code: number) => {
      closedWith = code;
    },
  } as unknown as WebSocket<ClientSocketData>;
  const client = new ClientSocket('alice', '', 1000, place);
  client.opened(socket);
  client.session = world.core.open('alice', 'plain', client);
  const link = world.up('n1');
  link.take();
  link.news();
  const ping = new ArrayBuffer(125);

  unread = 1000;
  client.controlled(ping);
  t.same(link.news(), [], 'so much may wait');
  unread = 1001;
  client.controlled(ping);
  client.controlled(ping);
  t.same(link.news(), [['pause', 1]], 'then its node holds back what is for it, too');
  world.advance(9000);
  t.equal(closedWith, undefined);
  world.advance(2000);
  t.equal(closedWith, 4002, 'and it is gone when it has taken nothing for ten seconds');
});
