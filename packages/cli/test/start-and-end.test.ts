import { once } from 'node:events';
import t from 'tap';
import { startHttpServer } from '../../../test/kit/http-server.js';
import { pinwheelProgram, runPinwheel, startPinwheel } from '../../../test/kit/pinwheel-process.js';
import { runNode } from '../../../test/kit/run-node.js';
import { until } from '../../../test/kit/until.js';
import { temporaryFiles } from './kit/files.js';
import type { UpFacts } from './kit/up-facts.js';

const file = temporaryFiles(t);
const busyApp = file('busy.mjs', 'setInterval(() => {}, 1000); export const onMessage = () => {};');

t.test('what an application leaves open keeps no process up', async (t) => {
  const members = `static:${file('none.json', '{"members":[]}')}`;
  const bad = file('bad-ring.json', '{"virtualNodes": 0}');
  const words = ['node', '--id', 'n1', '--membership', members, '--app', busyApp];
  const failed = await runPinwheel([...words, '--ring-config', bad], {}, 30_000);
  t.match(failed, { code: 2, stderr: /virtualNodes is 0/ });
  const up = await startPinwheel<UpFacts>(t, [
    'up',
    ...['--port', '0', '--admin-port', '0', '--node-port', '0', '--nodes', '1', '--app', busyApp],
  ]);
  up.signal('SIGTERM');
  t.equal(await up.exit, 0);
});

t.test('what Kubernetes sets beside a Service named pinwheel is no option', async (t) => {
  const up = await startPinwheel<UpFacts>(t, ['up', '--port', '0', '--admin-port', '0', '--node-port', '0'], {
    PINWHEEL_NODES: 'tcp://10.0.0.1:8080',
  });
  t.equal(up.facts.nodes.length, 3, 'as if nothing were given');
});

t.test('a signal that comes during the start: what it has begun is undone', async (t) => {
  const calls: string[] = [];
  let entered: object | undefined;
  const consul = await startHttpServer(t, (request, response) => {
    const path = request.url!.split('?')[0]!;
    calls.push(path);
    const say = (body: unknown): void => {
      response.writeHead(200, { 'content-type': 'application/json', 'x-consul-index': '1' });
      response.end(JSON.stringify(body));
    };
    if (path.endsWith('/register')) {
      let text = '';
      request.on('data', (chunk) => {
        text += chunk;
      });
      request.on('end', () => {
        entered = JSON.parse(text);
        setTimeout(() => say({}), 500);
      });
    } else if (path === '/v1/agent/services') {
      say(entered === undefined ? {} : { n1: entered });
    } else if (path.startsWith('/v1/health') && request.url!.includes('index=')) {
      setTimeout(() => say([]), 300);
    } else say(path.startsWith('/v1/health') ? [] : {});
  });
  const membership = `consul://127.0.0.1:${consul}/chat`;
  const words = ['node', '--id', 'n1', '--membership', membership, '--log-level', 'error'];
  const child = runNode([pinwheelProgram, ...words], { timeout: 60_000 });
  await until('it is being registered', () => calls.includes('/v1/agent/service/register'));
  child.kill('SIGTERM');
  t.same(await once(child, 'exit'), [0, null], 'it ends as one that drains');
  t.equal(calls.filter((path) => !path.startsWith('/v1/health')).at(-1), '/v1/agent/service/deregister/n1');
});

t.test('a start that does not end is given up soon after a signal', async (t) => {
  let asked = 0;
  const consul = await startHttpServer(t, () => void asked++);
  const words = ['edge', '--id', 'e1', '--port', '0', '--membership', `consul://127.0.0.1:${consul}/chat`];
  const child = runNode([pinwheelProgram, ...words], { timeout: 60_000 });
  await until('it asks for the members', () => asked > 0);
  child.kill('SIGTERM');
  const [code, signal] = await once(child, 'exit');
  t.equal(signal, null, 'it has listened for it');
  t.ok([0, 1].includes(code), `code ${code}`);
});

t.test('send through a node reaches any user, whatever the id looks like in a path', async (t) => {
  const urls: string[] = [];
  const port = await startHttpServer(t, (request, response) => {
    urls.push(request.url!);
    response.end(JSON.stringify({ user: 'x', status: 'delivered', sessions: 1 }));
  });
  const node = `http://127.0.0.1:${port}`;
  for (const user of ['..', '.', 'a/b?c#d', 'zoë']) {
    t.equal((await runPinwheel(['send', user, 'x', '--node', node])).code, 0);
  }
  t.same(
    urls,
    ['..', '.', 'a%2Fb%3Fc%23d', 'zo%C3%AB'].map((user) => `/v1/users/${user}/messages`),
  );
  const wrong = await runPinwheel(['send', 'x'.repeat(257), 'y', '--node', node]);
  t.match(wrong, { code: 2, stderr: /user has 257 bytes/ });
  const late = await runPinwheel(['send', 'ann', 'x', '--node', node, '--deadline-ms', '60001']);
  t.match(late, {
    code: 2,
    stderr: /--deadline-ms is "60001"; it must be a whole number between 1 and 60000/,
  });
});
