import t from 'tap';
import { NodeClients } from '../src/node-clients.js';
import { refusalOf } from '../src/node-pool.js';

t.test('what a status without a word of the node says of a message', async (t) => {
  const codes = [503, 500, 502, 504, 404, 413].map((status) => refusalOf('n1', status, '<html>').code);
  // who is busy has not taken it; who broke, or lost the node, may have
  const [busy, ...others] = codes;
  t.equal(busy, 'unavailable');
  t.same(others, ['unknown-outcome', 'unknown-outcome', 'unknown-outcome', 'internal', 'internal']);
});

t.test('a member that comes back elsewhere is called there', async (t) => {
  const clients = new NodeClients();
  t.teardown(() => clients.close());
  const member = {
    id: 'n1',
    address: '127.0.0.1',
    port: 1,
    weight: 1,
    draining: false,
    kind: 'node',
  } as const;
  const first = clients.of(member);
  t.equal(clients.of({ ...member }), first);
  const next = clients.of({ ...member, port: 2 });
  t.not(next, first);
  t.equal(clients.of({ ...member, port: 2 }), next);
});
