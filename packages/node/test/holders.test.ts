import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import t from 'tap';
import { until } from '../../../test/kit/until.js';
import { connect } from './kit/client.js';
import { startNodes } from './kit/nodes.js';
import { post, postLines } from './kit/requests.js';

t.test(
  'nodes that join together know no ring without one another, and find the users all the same',
  async (t) => {
    const nodes = await startNodes(t, ['n1', 'n2'], { usersPerSecond: 1 });
    const users = Array.from({ length: 120 }, (_, i) => `user-${i}`);
    const { ring } = nodes.of('n1').tracker.current;
    const clients = await Promise.all(users.map((user) => connect(t, nodes.of(ring.owner(user)!), user)));
    for (const id of ['n1', 'n2']) {
      await fetch(`http://127.0.0.1:${nodes.of(id).port}/v1/migrations`, {
        method: 'POST',
        body: '{"paused":true}',
      });
    }
    await Promise.all([nodes.start('n3'), nodes.start('n4')]);
    await nodes.agree(['n1', 'n2', 'n3', 'n4']);
    for (const through of ['n1', 'n2', 'n3', 'n4']) {
      const receipts = await postLines(
        nodes.of(through),
        users.map((user) => ({ user, data: through })),
      );
      t.same(
        receipts.filter(({ status }) => status !== 'delivered'),
        [],
        `through ${through} everybody is reached`,
      );
    }
    await until('everything came', () => clients.every(({ frames }) => frames.length === 4));
  },
);

t.test(
  'a former owner that took a message and left without an answer: it may have been delivered',
  async (t) => {
    const nodes = await startNodes(t, ['n1']);
    let asked = 0;
    // accepts, reads, and never answers
    const silent = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (bytes) => {
        // one that vanishes is asked whether it is there, too
        if (/^POST \/v1\/messages /.test(String(bytes)) && asked++ === 0) nodes.membership.remove('gone');
      });
    });
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    t.teardown(() => silent.close());
    const { port } = silent.address() as AddressInfo;
    nodes.membership.set({ id: 'gone', port, wsPort: port, draining: true });
    await until('n1 knows it', () => nodes.of('n1').tracker.current.members.has('gone'));
    const { status, json } = await post(nodes.of('n1'), 'alice', 'x');
    t.equal(asked, 1);
    t.equal(status, 503);
    // it is given its time, though it has left: an answer that comes is better than none
    t.match(json, { status: 'overloaded', error: { code: 'deadline' } });
  },
);
