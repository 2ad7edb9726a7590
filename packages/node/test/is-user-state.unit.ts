import type { UserState } from '@pinwheel/holder';
import t from 'tap';
import { isUserState } from '../src/api/is-user-state.js';
import { startNodes } from './kit/nodes.js';
import { request } from './kit/requests.js';

const position = { stream: 's', seq: 1 };
const state = (): UserState => ({
  stream: 's',
  next: 2,
  kept: [{ seq: 1, id: 'i', binary: false, base64: 'eA==', origins: [position] }],
  seen: [{ id: 'i', sessions: 1, seq: 1 }],
  sessions: [
    {
      key: 'k',
      edge: 'e',
      since: 1.5,
      acknowledges: true,
      epoch: 0,
      acked: 1,
      begins: 0,
      gapAt: null,
      taken: 0,
      announced: false,
      covers: [position],
      former: [position],
      isComing: true,
    },
  ],
  absorbed: [{ stream: 'a', from: 0, at: 1 }],
  isPartial: false,
  contested: ['n3'],
});

type Path = readonly (string | number)[];

/** Of every field, however deep. */
function pathsOf(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([name, inner]) => pathsOf(inner, [...path, name]))];
}

function changed(path: Path, to: unknown): unknown {
  if (path.length === 0) return to;
  const all = JSON.parse(JSON.stringify(state()));
  const inner = path.slice(0, -1).reduce((object, name) => object[name], all);
  inner[path.at(-1)!] = to;
  return all;
}

t.test('a user’s state is known as one, and nothing else with any field of it wrong', async (t) => {
  t.ok(isUserState(state()));
  const paths = pathsOf(state());
  t.ok(paths.length > 40);
  for (const path of paths) {
    for (const wrong of [undefined, {}, Number.NaN, ['x'.repeat(1025)], 'x'.repeat(1025)]) {
      const isText = path.at(-1) === 'base64' && typeof wrong === 'string';
      const isOlder = path.join('.') === 'seen.0.seq' && wrong === undefined;
      t.equal(
        isUserState(changed(path, wrong)),
        isText || isOlder,
        `${path.join('.')} is ${String(wrong).slice(0, 9)}`,
      );
    }
  }
  for (const whole of [['next'], ['kept', 0, 'seq'], ['sessions', 0, 'gapAt'], ['absorbed', 0, 'at']]) {
    for (const wrong of [-1, 1.5, 2 ** 53])
      t.notOk(isUserState(changed(whole, wrong)), `${whole} is ${wrong}`);
    t.notOk(isUserState(changed(whole, 2 ** 32)), 'no frame has room for it');
  }
  for (const fine of [
    ['sessions', 0, 'gapAt'],
    ['absorbed', 0, 'at'],
    ['sessions', 0, 'taken'],
  ]) {
    t.ok(isUserState(changed(fine, 2 ** 32 - 1)));
  }
  for (const name of [
    ['stream'],
    ['kept', 0, 'id'],
    ['sessions', 0, 'key'],
    ['sessions', 0, 'edge'],
    ['seen', 0, 'id'],
  ]) {
    t.ok(isUserState(changed(name, 'x'.repeat(64))));
    for (const wrong of ['', 'x'.repeat(65), 'ü'.repeat(33)])
      t.notOk(isUserState(changed(name, wrong)), `${name} is ${wrong}`);
  }
  for (const next of [1, 3])
    t.notOk(isUserState(changed(['next'], next)), 'what is kept are the last before it');
  t.notOk(isUserState(changed(['sessions', 0, 'covers'], Array(17).fill(position))));
  t.notOk(isUserState(changed(['seen'], Array(1025).fill({ id: 'i', sessions: 1 }))));
});

t.test('what is none is refused, and that is said', async (t) => {
  const n1 = (await startNodes(t, ['n1'])).of('n1');
  const refused = async (users: unknown) => {
    const body = JSON.stringify({ from: 'n2', incarnation: 'i', users });
    return (await request(n1, 'POST', '/v1/handoffs', body)).json;
  };
  const user = { user: 'u', handoff: 'h', state: changed(['next'], -1) };
  t.same(await refused([user]), {
    error: {
      code: 'bad-request',
      message: 'users.0.state is an object; it must be the state of a user',
    },
  });
  t.match(await refused([{ ...user, user: '' }]), { error: { message: /^users.0.user is ""/ } });
  t.match(await refused('x'), { error: { code: 'bad-request' } });
  t.equal(n1.sessions, 0);
});
