import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describeRingSettings, ringSettings, ringSettingsDigest } from '@pinwheel/ring';
import t, { type Test } from 'tap';
import { pinwheelProgram, runPinwheel } from '../../../test/kit/pinwheel-process.js';
import { runNode } from '../../../test/kit/run-node.js';
import { temporaryFiles } from './kit/files.js';

const file = temporaryFiles(t);

interface Situation {
  /** It does not end after its last answer. */
  readonly goesOn?: boolean;
  readonly incarnation?: () => string;
  /** Members beside it. */
  readonly heirs?: readonly object[];
  /** Its moves. */
  readonly paused?: boolean;
}

const heir = { id: 'n2', address: '127.0.0.1', port: 9, wsPort: 9 };

/** A node that takes the order to drain; then each question has the next of these answers, and it ends after the last. */
async function drainingNode(
  t: Test,
  answers: readonly (number | 'cut' | 'empty' | 'all' | 'fewer')[],
  { goesOn = false, incarnation = () => 'i', heirs = [heir], paused = false }: Situation = {},
) {
  const ring = ringSettings({});
  const settings = { digest: ringSettingsDigest(ring), text: describeRingSettings(ring) };
  let asked = 0;
  const server = createServer((request, response) => {
    const say = (status: number, body: object): void => {
      response.writeHead(status, { connection: 'close' }).end(JSON.stringify(body));
    };
    if (request.url === '/healthz') {
      return say(200, { status: 'ok', id: 'n1', incarnation: incarnation(), draining: true, settings });
    }
    if (request.method === 'POST') return say(202, { users: 3, moved: 0, paused });
    const answer = answers[Math.min(asked++, answers.length - 1)]!;
    if (asked === answers.length && !goesOn) response.on('close', () => server.close());
    if (answer === 'cut') request.socket.destroy();
    else if (answer === 'all') say(200, { users: 3, moved: 0, paused });
    else if (answer === 'fewer') say(200, { users: 0, moved: 2, paused });
    else if (answer === 'empty') say(200, { users: 0, moved: 3, paused });
    else if (answer === 200) say(200, { users: 1, moved: 2, paused });
    else say(answer, { error: { code: 'x', message: 'not now' } });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const members = [{ id: 'n1', address: '127.0.0.1', port, wsPort: port }, ...heirs];
  return {
    membership: `static:${file(`members-${port}.json`, JSON.stringify({ members }))}`,
    get asked() {
      return asked;
    },
  };
}

t.test('a node that does not answer a question has not left', async (t) => {
  const node = await drainingNode(t, [200, 429, 'cut', 401, 'empty']);
  const { code, stdout, stderr } = await runPinwheel([
    'drain',
    'n1',
    '--membership',
    node.membership,
    '--json',
  ]);
  t.equal(code, 0, stderr);
  t.match(JSON.parse(stdout), { node: 'n1', users: 3, moved: 3 });
  t.equal(node.asked, 5);
});

t.test('a wall clock that is put forward takes no time from a drain', async (t) => {
  const node = await drainingNode(t, [200, 200, 200, 'empty']);
  const clock = file(
    'clock.mjs',
    'let hours = 0;\nconst now = Date.now;\nDate.now = () => now() + hours++ * 3_600_000;\n',
  );
  const child = runNode([
    `--import=${clock}`,
    pinwheelProgram,
    ...['drain', 'n1', '--membership', node.membership, '--json'],
  ]);
  const ended = once(child, 'close');
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = await ended;
  t.equal(code, 0, stderr);
  const { seconds } = JSON.parse(stdout) as { seconds: number };
  t.ok(seconds < 60, `${seconds} s`);
});

t.test('a node that dies with users has not sent them on', async (t) => {
  const node = await drainingNode(t, [200, 200]);
  const { code, stderr } = await runPinwheel(['drain', 'n1', '--membership', node.membership]);
  t.equal(code, 1, stderr);
  t.match(stderr, /n1 is gone and had 1 user when it was last asked: it died, or its time to drain was over/);
});

t.test('the last node of a service has nobody to send users on to', async (t) => {
  for (const [more, says] of [
    [[], /^n1 has left: it was the last node, and its 3 users have no node now\n$/],
    [['--json'], /"users":3,"moved":0,"seconds":\d+(\.\d{1,3})?}/],
  ] as const) {
    const node = await drainingNode(t, ['all', 'all'], { heirs: [] });
    const words = ['drain', 'n1', '--membership', node.membership];
    const { code, stdout, stderr } = await runPinwheel([...words, ...more]);
    t.equal(code, 0, stderr);
    t.match(stdout, says);
  }
});

t.test('one that went by itself was not sent on', async (t) => {
  const node = await drainingNode(t, ['all', 'fewer']);
  const { stdout } = await runPinwheel(['drain', 'n1', '--membership', node.membership]);
  t.match(stdout, /^n1 has left: 2 of 3 users sent on in /);
});

t.test('what waits for a resume says so at once, and tells a terminal what has changed', async (t) => {
  const terminal = file('terminal.mjs', 'process.stderr.isTTY = true;\n');
  const answers = [200, 200, 200, 200, 'empty', 'empty'] as const;
  const node = await drainingNode(t, answers, { paused: true });
  const words = [pinwheelProgram, 'drain', 'n1', '--membership', node.membership];
  const child = runNode([`--import=${terminal}`, ...words]);
  const ended = once(child, 'close');
  const lines = (await text(child.stderr)).trim().split('\n');
  await ended;
  t.match(
    lines[0],
    /^n1: its moves are paused; let them go with pinwheel migrate resume, or who is left goes near/,
  );
  t.same(lines.slice(1), ['n1: 1 user left, 2 sent on', 'n1: 0 users left, 3 sent on']);
  const unwatched = await drainingNode(t, answers, { paused: true });
  const { stderr } = await runPinwheel(['drain', 'n1', '--membership', unwatched.membership]);
  t.match(stderr, /^n1: its moves are paused; [^\n]*\n$/);
});

t.test('another process in its place: the one that was drained is gone', async (t) => {
  let asked = (): number => 0;
  const answers = [200, 'empty', 200] as const;
  const node = await drainingNode(t, answers, {
    goesOn: true,
    incarnation: () => (asked() > 1 ? 'next' : 'i'),
  });
  asked = () => node.asked;
  const { code, stdout, stderr } = await runPinwheel(['drain', 'n1', '--membership', node.membership]);
  t.match({ code, stderr }, { code: 1, stderr: /n1 is gone and had 1 user when it was last asked/ }, stdout);
});

t.test('at the deadline it says what is known', async (t) => {
  for (const [answer, message] of [
    [401, /n1 has not left after 600 ms: n1 \(.*\) answered 401: not now/],
    [200, /n1 has not left after 600 ms: it still has 1 user; it goes on draining/],
  ] as const) {
    const node = await drainingNode(t, [answer], { goesOn: true });
    const args = ['drain', 'n1', '--membership', node.membership, '--timeout-ms', '600'];
    const { code, stderr } = await runPinwheel(args);
    t.equal(code, 1, stderr);
    t.match(stderr, message);
  }
});
