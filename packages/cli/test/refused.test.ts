import t from 'tap';
import { startHttpServer } from '../../../test/kit/http-server.js';
import { runPinwheel } from '../../../test/kit/pinwheel-process.js';
import { temporaryFiles } from './kit/files.js';

const file = temporaryFiles(t);

t.test('a refusal keeps the code that it came with, for scripts', async (t) => {
  const refusals = [
    [400, 'bad-request', 2],
    [401, 'not-authenticated', 1],
    [429, 'limit-reached', 1],
    [503, 'overloaded', 1],
  ] as const;
  for (const [status, code, exitCode] of refusals) {
    const port = await startHttpServer(t, (_, response) => {
      response.writeHead(status).end(JSON.stringify({ error: { code, message: 'so it is' } }));
    });
    const member = { id: 'n1', address: '127.0.0.1', port, wsPort: 1 };
    const members = `static:${file('members.json', JSON.stringify({ members: [member] }))}`;
    for (const words of [
      ['send', 'alice', 'x', '--node', `http://127.0.0.1:${port}`],
      ['drain', 'n1', '--membership', members],
    ]) {
      const ran = await runPinwheel([...words, '--json']);
      t.equal(ran.code, exitCode, `${words[0]} ${code}`);
      const message = new RegExp(`127.0.0.1:${port}.* answered ${status}: so it is`);
      t.match(JSON.parse(ran.stderr), { error: { code, message } });
    }
  }
});

t.test('an id that no message can have is refused before anybody is asked', async (t) => {
  const { code, stderr } = await runPinwheel([
    ...['send', 'alice', 'x', '--id', 'a\nb', '--node', 'http://127.0.0.1:1'],
  ]);
  t.equal(code, 2);
  t.match(stderr, /--id is "a\\nb"; it must be 1 to 64 printable ASCII characters/);
});

t.test('a password in an address is not repeated', async (t) => {
  const port = await startHttpServer(t, (_, response) => response.end('not JSON'));
  const members = `static:${file('none.json', '{"members":[]}')}`;
  for (const at of ['127.0.0.1:1', `127.0.0.1:${port}`]) {
    const url = `http://operator:s3cret@${at}`;
    for (const words of [
      ['send', 'alice', 'x', '--node', url],
      ['migrate', 'status', '--membership', members, '--edge', url],
    ]) {
      const { code, stdout, stderr } = await runPinwheel(words);
      t.equal(code, 1);
      t.match(stdout + stderr, at);
      t.notMatch(stdout + stderr, /s3cret/);
    }
  }
});

t.test('what comes from flags alone is asked for as a flag', async (t) => {
  const { code, stderr } = await runPinwheel(['api-key', 'new', '--id', 'x']);
  t.equal(code, 2);
  t.equal(stderr, 'pinwheel: scopes is missing; give --scopes\n');
});
