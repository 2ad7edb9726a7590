import type { IncomingHttpHeaders } from 'node:http';
import { freePort } from '@pinwheel/bench/load/free-ports.js';
import type { UserState } from '@pinwheel/holder';
import t, { type Test } from 'tap';
import { startHttpServer } from '../../../test/kit/http-server.js';
import { until } from '../../../test/kit/until.js';
import { connectEdge } from './kit/fake-edge.js';
import { startNodes, type TestNodes } from './kit/nodes.js';
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

type Answer = (
  path: string,
  body: string,
  headers: IncomingHttpHeaders,
) => readonly [number, object] | undefined;

/** A member that drains, and answers as it is told, or not at all. */
async function joinFake(
  t: Test,
  nodes: TestNodes,
  id: string,
  answers: Answer,
  draining = true,
): Promise<void> {
  const port = await startHttpServer(t, (asked, answer) => {
    let body = '';
    asked.on('data', (chunk) => {
      body += chunk;
    });
    asked.on('end', () => {
      const said = answers(asked.url!, body, asked.headers);
      if (said !== undefined) answer.writeHead(said[0]).end(JSON.stringify(said[1]));
    });
  });
  nodes.membership.set({ id, port, wsPort: port, draining });
  await until(`n1 knows ${id}`, () => nodes.of('n1').tracker.current.members.has(id));
}

/** Of users whom a node has handed over; its COMMIT has yet to come. */
function claimed(path: string, body: string): readonly [number, object] {
  const users = path === '/v1/claims' ? (JSON.parse(body) as { users: readonly string[] }).users : [];
  const answers = users.map((user) => ({ kind: 'yours', handoff: `x-${user}` }));
  return [200, { incarnation: 'x-1', fingerprint: 'x', foreignUsers: 0, answers }];
}

t.test('a user whose copy waits for the word of its source', async (t) => {
  const nodes = await startNodes(t, ['n1']);
  nodes.haveLinks = true;
  const node = nodes.of('n1');
  let isSilent = false;
  await joinFake(t, nodes, 'x', (path, body) => (isSilent ? undefined : claimed(path, body)));
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

t.test('a user who has gone on from where this node sent it', async (t) => {
  const nodes = await startNodes(t, ['n1']);
  const node = nodes.of('n1');
  const asked: string[] = [];
  let isHere = false;
  const presence = (id: string) => ({
    ...{ user: 'ann', holder: id, online: isHere },
    sessions: isHere ? [{ session: 's', since: '2026-01-01T00:00:00Z' }] : [],
  });
  const fake =
    (id: string, owns: boolean): Answer =>
    (path, _body, headers) => {
      if (!path.startsWith('/v1/users/')) return [200, {}];
      const noForward = headers['pinwheel-no-forward'] === '1';
      asked.push(`${id}${noForward ? ' alone' : ''}`);
      return owns || isHere ? [200, presence(id)] : [421, { error: { code: 'not-owner', message: 'no' } }];
    };
  await joinFake(t, nodes, 'b', fake('b', false));
  await joinFake(t, nodes, 'd', fake('d', true), false);
  await until('d is in the ring', () => node.tracker.current.ring.members.length === 2);
  const user = Array.from({ length: 100 }, (_, i) => `user-${i}`).find(
    (one) => node.tracker.current.ring.owner(one) === 'd',
  )!;
  const claim = JSON.stringify({ from: 'b', incarnation: 'b-1', users: [user] });
  t.match(await request(node, 'POST', '/v1/claims', claim), { json: { answers: [{ kind: 'none' }] } });

  t.match(await request(node, 'GET', `/v1/users/${user}`), { status: 200, json: { online: false } });
  t.same(asked, ['b alone', 'd'], 'where it went is asked first, and by itself; then the owner');
  isHere = true;
  asked.length = 0;
  t.match(await request(node, 'GET', `/v1/users/${user}`), {
    status: 200,
    json: { holder: 'b', online: true },
  });
  t.same(asked, ['b alone']);
});

t.test(
  'a node that cannot be asked about users is named in the log, with the reason, and once',
  async (t) => {
    const lines: object[] = [];
    const write = (fields: object): number => lines.push(fields);
    const nodes = await startNodes(t, ['n1'], { log: { info: write, warn: write, error: write } });
    nodes.haveLinks = true;
    let asked = 0;
    let isWrong = true;
    await joinFake(t, nodes, 'x', (path, body) => {
      if (path === '/v1/claims') asked++;
      const error = { code: 'not-authenticated', message: 'do the clocks agree?' };
      return isWrong ? [401, { error }] : claimed(path, body);
    });
    const edge = await connectEdge(t, nodes.of('n1'));
    edge.attach('ann');
    await until('x is asked again and again', () => asked > 2);
    isWrong = false;
    const ofX = () => lines.filter((line) => 'member' in line);
    await until('x has answered', () => ofX().length > 1);
    t.same(ofX(), [{ member: 'x', reason: 'node x answered 401: do the clocks agree?' }, { member: 'x' }]);
  },
);

t.test(
  'nobody is looked for at a node that has gone, when its last word was that nobody is left',
  async (t) => {
    const nodes = await startNodes(t, ['n1']);
    const node = nodes.of('n1');
    const port = await freePort();
    nodes.membership.set({ id: 'x', port, wsPort: port, draining: true, incarnation: 'x-1' });
    await until('n1 knows x', () => node.tracker.current.members.has('x'));
    const user = '/v1/users/absent';
    t.match(await request(node, 'POST', `${user}/messages`, 'hello'), {
      status: 503,
      json: { error: { code: 'unreachable' } },
    });
    t.equal((await request(node, 'GET', user)).status, 502);
    const lastWord = JSON.stringify({ from: 'x', incarnation: 'x-1', users: [], ends: 'x-1' });
    t.equal((await request(node, 'POST', '/v1/commits', lastWord)).status, 200);
    t.match(await request(node, 'POST', `${user}/messages`, 'hello'), {
      status: 404,
      json: { status: 'offline' },
    });
    t.match(await request(node, 'GET', user), { status: 200, json: { online: false } });
  },
);
