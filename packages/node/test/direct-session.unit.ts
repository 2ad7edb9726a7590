import type { Place, WebSocket } from '@pinwheel/server';
import t from 'tap';
import { createNodeCounters } from '../src/counters/node-counters.js';
import { DirectSession, type DirectSocketData } from '../src/direct/direct-session.js';

t.test('a client that sends pings and does not read the answers is one that does not read', async (t) => {
  const place = { sent: () => true } as unknown as Place;
  let unread = 1000;
  const socket = {
    getUserData: () => ({ user: 'alice', edge: undefined, session: undefined }),
    getBufferedAmount: () => unread,
  } as unknown as WebSocket<DirectSocketData>;
  const stalled: DirectSession[] = [];
  const events = { stalled: (session: DirectSession) => stalled.push(session), unread: () => {} };
  const session = new DirectSession('s', socket, createNodeCounters(), 1000, events, place);
  session.controlled();
  t.same(stalled, [], 'so much may wait');
  t.ok(session.isLive);
  unread = 1001;
  session.controlled();
  session.controlled();
  t.same(stalled, [session], 'its time runs from the first that is too much');
  t.notOk(session.isLive);
  unread = 0;
  session.drained();
  t.ok(session.isLive, 'until it reads');
});
