import type { IncomingHttpHeaders } from 'node:http';
import t from 'tap';
import { startHttpServer } from '../../../test/kit/http-server.js';
import type { Credentials } from '../src/service/credentials.js';
import { nodeTarget, unlistedTarget } from '../src/service/nodes-of.js';

t.test('who answers under another id, where a node was, is given no key', async (t) => {
  const heard: IncomingHttpHeaders[] = [];
  const port = await startHttpServer(t, (request, response) => {
    heard.push(request.headers);
    response.end(JSON.stringify({ id: 'somebody', adminPort: port }));
  });
  const member = { id: 'n2', address: '127.0.0.1', port };
  const credentials = (isApiKey: boolean): Credentials =>
    ({ isApiKey, needsId: true, headers: () => ({ authorization: 'secret' }) }) as unknown as Credentials;
  const gone = { code: 'unreachable', message: /^n2 \(.*\) cannot be reached: somebody answers there$/ };
  await t.rejects(nodeTarget(member, credentials(true)).post('/v1/ring/accept'), gone, 'an API key');
  await t.rejects(unlistedTarget(member, credentials(false)).post('/v1/ring/accept'), gone, 'a proof');
  t.equal(heard.length, 2);
  t.ok(heard.every(({ authorization }) => authorization === undefined));
  const there = unlistedTarget({ ...member, id: 'somebody' }, credentials(true));
  t.match(await there.post('/v1/ring/accept'), { id: 'somebody' });
  t.equal(heard.at(-1)!.authorization, 'secret');
});
