import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { UserState } from '@pinwheel/holder';
import t from 'tap';
import { until } from '../../../test/kit/until.js';
import { startNodes } from './kit/nodes.js';
import { request } from './kit/requests.js';

/** Of a user with a `pinwheel.v1` client that is away. */
function stateOf(key: string): UserState {
  const session = {
    ...{ key, edge: 'e1', since: Date.now(), acknowledges: true, epoch: 1, acked: 0, begins: 1 },
    ...{ gapAt: null, taken: 0, announced: true, covers: [], former: [], isComing: false },
  };
  return {
    ...{ stream: 'former-1', next: 1, kept: [], seen: [], sessions: [session] },
    ...{ absorbed: [], isPartial: false, contested: [] },
  };
}

t.test('a user whose copy waits for the word of its source', async (t) => {
  const nodes = await startNodes(t, ['n1']);
  nodes.haveLinks = true;
  const node = nodes.of('n1');
  /** A node that has handed its users over, and whose COMMIT has yet to come. */
  let isSilent = false;
  const source = createServer((asked, answer) => {
    if (isSilent) return;
    let body = '';
    asked.on('data', (chunk) => {
      body += chunk;
    });
    asked.on('end', () => {
      const users = asked.url === '/v1/claims' ? (JSON.parse(body) as { users: string[] }).users : [];
      const answers = users.map((user) => ({ kind: 'yours', handoff: `x-${user}` }));
      answer.end(JSON.stringify({ incarnation: 'x-1', fingerprint: 'x', foreignUsers: 0, answers }));
    });
  });
  source.listen(0, '127.0.0.1');
  await once(source, 'listening');
  t.teardown(() => {
    source.closeAllConnections();
    source.close();
  });
  const { port } = source.address() as AddressInfo;
  nodes.membership.set({ id: 'x', port, wsPort: port, draining: true });
  await until('n1 knows it', () => node.tracker.current.members.has('x'));
  const keep = async (user: string): Promise<void> => {
    const users = [{ user, handoff: `x-${user}`, state: stateOf(`session-of-${user}-0`) }];
    const body = JSON.stringify({ from: 'x', incarnation: 'x-1', users });
    const { json } = await request(node, 'POST', '/v1/handoffs', body);
    t.match(json, { answers: [{ kind: 'kept' }] });
  };

  await keep('ann');
  const away = { json: { online: false, sessions: [{ session: 'session-of-ann-0', away: true }] } };
  t.match(await request(node, 'GET', '/v1/users/ann'), away, 'is here when it is asked about');
  await keep('bob');
  const banned = await request(node, 'DELETE', '/v1/users/bob/sessions');
  t.match(banned, { status: 200, json: { closed: 1 } }, 'and its sessions are closed');

  isSilent = true;
  await keep('cid');
  const deadline = { 'pinwheel-deadline-ms': '200' };
  const unknown = await request(node, 'DELETE', '/v1/users/cid/sessions', undefined, deadline);
  t.match(unknown, { status: 503, json: { error: { code: 'unavailable', message: /on the way here/ } } });
});
