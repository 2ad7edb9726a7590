import type { Test } from 'tap';
import t from 'tap';
import { startHttpServer } from '../../../test/kit/http-server.js';
import { runPinwheel } from '../../../test/kit/pinwheel-process.js';
import { temporaryFiles } from './kit/files.js';

const file = temporaryFiles(t);

interface Says {
  readonly fingerprint?: string;
  readonly waiting?: number;
  readonly paused?: boolean;
  /** It refuses. */
  readonly status?: number;
}

/** Nodes whose moves are asked about: each look has the next of these answers, and the last one goes on. */
async function service(t: Test, nodes: Readonly<Record<string, readonly Says[]>>) {
  const members = await Promise.all(
    Object.entries(nodes).map(async ([id, looks]) => {
      let asked = 0;
      const port = await startHttpServer(t, ({ url }, response) => {
        const says = looks[Math.min(asked, looks.length - 1)]!;
        const { fingerprint = 'same', waiting = 0, paused = false, status = 200 } = says;
        if (url === '/healthz') return response.writeHead(503).end();
        if (url === '/v1/migrations' || status !== 200) asked++;
        if (status !== 200) {
          const error = { code: 'not-authenticated', message: 'an API key is missing' };
          return response.writeHead(status).end(JSON.stringify({ error }));
        }
        const migrations = { paused, usersPerSecond: 500, waiting, moved: 7 };
        return response.end(JSON.stringify(url === '/v1/ring' ? { fingerprint, members: [] } : migrations));
      });
      return { id, address: '127.0.0.1', port, wsPort: port };
    }),
  );
  const path = file(`members-${members[0]!.port}.json`, JSON.stringify({ members }));
  return (...more: readonly string[]) =>
    runPinwheel(['migrate', 'wait', '--membership', `static:${path}`, ...more]);
}

t.test(
  'it waits until all have the same ring and nobody has to move, and says why when that changes',
  async (t) => {
    const looks = {
      n1: [{}, { waiting: 9 }, { waiting: 5, paused: true }, {}],
      n2: [{ fingerprint: 'old' }, { waiting: 3 }, { waiting: 2 }, { waiting: 1 }, {}],
    };
    const { code, stdout, stderr } = await (await service(t, looks))();
    t.same(stderr.trim().split('\n'), [
      'waits: they do not have the same ring yet',
      'waits: users have to move at n1 and n2',
      'waits: users have to move at n2; users have to move at n1, where moves are paused: pinwheel migrate resume',
      'waits: users have to move at n2',
    ]);
    t.equal(code, 0);
    t.equal(stdout, 'nobody has to move: asked n1 and n2\n');
    const json = await (await service(t, { n1: [{ waiting: 1 }, {}] }))('--json');
    t.same([json.code, json.stderr], [0, '']);
    t.match(JSON.parse(json.stdout), {
      migrations: [{ id: 'n1', waiting: 0, moved: 7, paused: false, usersPerSecond: 500 }],
      seconds: Number,
    });
  },
);

t.test(
  'one that cannot be asked for a moment is asked again, one that cannot be asked ends it',
  async (t) => {
    const away = await (await service(t, { n1: [{ status: 401 }, {}] }))();
    t.equal(away.code, 0, away.stderr);
    const { code, stderr } = await (await service(t, { n1: [{}], n2: [{ status: 401 }] }))('--json');
    t.equal(code, 1);
    t.match(JSON.parse(stderr), {
      error: {
        code: 'unavailable',
        message: /^not all can be asked: n2 \(http.*\) answered 401: an API key/,
      },
    });
    const nobody = file('nobody.json', '{"members":[{"id":"n1","address":"127.0.0.1","port":9,"wsPort":9}]}');
    const ignored = await runPinwheel([
      ...['migrate', 'wait', '--membership', `static:${nobody}`, '--allow-ports', '7001'],
    ]);
    t.equal(ignored.code, 1);
    t.match(
      ignored.stderr,
      /not all can be asked: the ring is empty: 1 member is listed and ignored: n1: port is 9/,
    );
  },
);

t.test('when its time is over it says who still has to move', async (t) => {
  const { code, stderr } = await (await service(t, { n1: [{ waiting: 3 }] }))(
    '--json',
    '--timeout-ms',
    '600',
  );
  t.equal(code, 1);
  t.match(JSON.parse(stderr), {
    error: { code: 'deadline', message: 'the moves are not over after 600 ms: users have to move at n1 (3)' },
  });
});
