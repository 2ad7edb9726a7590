import type { IncomingMessage } from 'node:http';
import t from 'tap';
import { startHttpServer } from '../../../test/kit/http-server.js';
import { createEdge, type EdgeOptions } from '../src/index.js';
import { admissionSituation, upstreams } from './admission-situation.js';
import { FakeTracker } from './fake-tracker.js';
import { upgradeText } from './raw-client.js';

const allowed = ['https://chat.example', 'https://chat.example:8443', 'http://localhost:3000', 'app://chat'];

/** None of these is one of ours, however much it looks like it. */
const strangers = [
  'https://evil.example',
  'http://chat.example',
  'https://chat.example.',
  'https://chat.example/',
  'https://chat.example:443',
  'https://chat.example:8444',
  'https://chat.example:84430',
  'https://chat.example.evil.example',
  'https://evil.example/https://chat.example',
  'https://evil.example?https://chat.example',
  'https://evil.example#https://chat.example',
  'https://chat.example@evil.example',
  'https://evil.example@chat.example',
  'https://chat.example%2eevil.example',
  'https://chat.example%00.evil.example',
  'https://chat.example\\.evil.example',
  'https://evilchat.example',
  'https://xchat.example',
  'https://sub.chat.example',
  'https://www.chat.example',
  'https://chat.exampl',
  'https://chat.examplee',
  'https://chat-example',
  'https://chatXexample',
  'https://CHAT.example',
  'HTTPS://chat.example',
  'https:/chat.example',
  'https:chat.example',
  '//chat.example',
  'chat.example',
  'https://',
  'https',
  'null',
  'undefined',
  'file://',
  '*',
  'https://*',
  'https://*.example',
  'https://chat.example, https://evil.example',
  'https://evil.example, https://chat.example',
  'https://chat.example https://evil.example',
  'https://chat.example;https://evil.example',
  '"https://chat.example"',
  'http://localhost',
  'http://localhost:3001',
  'http://localhost:30000',
  'http://127.0.0.1:3000',
  'http://[::1]:3000',
  'ws://localhost:3000',
  'app://chat/',
  'app://chats',
  'capp://chat',
  'xn--https://chat.example',
  'https://ch\xe4t.example',
];

for (const upstream of upstreams) {
  t.test(`origins, ${upstream}`, async (t) => {
    const anybody = { auth: 'none', allowOrigin: allowed } as const;
    const { edge, answerTo, hangUp } = await admissionSituation(t, upstream, anybody);
    for (const origin of strangers) {
      const { status } = await answerTo(upgradeText('/ws?user=u', { Origin: origin }));
      t.equal(status, 403, origin);
    }
    const twice = upgradeText('/ws?user=u', { Origin: allowed[0] }).replace(
      '\r\n\r\n',
      '\r\nOrigin: https://evil.example\r\n\r\n',
    );
    t.equal((await answerTo(twice)).status, 403, 'two of them');
    t.equal((await answerTo(upgradeText('/ws?user=u', { Origin: '' }))).status, 403, 'an empty one');
    t.match(await edge.metrics(), /upgrades_total\{outcome="bad-origin"\} 56/);
    for (const site of ['cross-site', 'same-site']) {
      const { status } = await answerTo(upgradeText('/ws?user=u', { 'Sec-Fetch-Site': site }));
      t.equal(status, 403, `of another page, as the browser says: ${site}`);
    }
    for (const site of ['same-origin', 'none']) {
      const client = await answerTo(upgradeText('/ws?user=u', { 'Sec-Fetch-Site': site }));
      t.equal(client.status, 101, site);
      await hangUp(client);
    }
    for (const origin of [...allowed, undefined]) {
      const client = await answerTo(upgradeText('/ws?user=u', { Origin: origin }));
      t.equal(client.status, 101, origin ?? 'none: not a page');
      await hangUp(client);
    }
  });
}

t.test('identity headers of clients reach no backend', async (t) => {
  const { edge, backend, answerTo, hangUp } = await admissionSituation(t, 'tunnel', { auth: 'none' });
  const spoofed = [
    'pinwheel-user',
    'Pinwheel-User',
    'PINWHEEL-USER',
    'pinwheel_user',
    'Pinwheel_User',
    'pinwheel.user',
    'pinwheel-edge',
    'pinwheel-fingerprint',
    'pinwheel-hops',
    'pinwheel_anything',
    'X-Pinwheel-User',
    'X-User',
    'x_user',
    'X.User',
    'x-user_id',
    'X_User-Id',
    'X-User-Id',
    'X-User-Email',
    'X-User-Roles',
    'X-Username',
    'X-UserInfo',
    'X-Users',
    'X~User',
    'X-Auth-User',
    'X_Auth_User',
    'X-Auth-Request-User',
    'X-Auth-Request-Email',
    'X-Auth-Request-Access-Token',
    'X-Authenticated-User',
    'X-Authenticated-Userid',
    'X-Authenticated-Groups',
    'X-Forwarded-User',
    'X_Forwarded_User',
    'x-forwarded_user',
    'X-Forwarded-Email',
    'X-Forwarded-Groups',
    'X-Forwarded-Preferred-Username',
    'X-Forwarded-Access-Token',
    'X-Forwarded-Client-Cert',
    'x_forwarded_for',
    'x-forwarded_proto',
    'X-Remote-User',
    'X-Remote-Group',
    'Remote-User',
    'Remote_User',
    'REMOTE-USER',
    'Remote-Groups',
    'Remote-Email',
    'X-Webauth-User',
    'X-Consumer-Username',
    'X-Credential-Identifier',
    'X-JWT-Assertion',
    'X-Token-Sub',
    'X-Goog-Authenticated-User-Email',
    'X-Goog-IAP-JWT-Assertion',
    'X-Amzn-Oidc-Identity',
    'X-Amzn-Oidc-Data',
    'X-MS-Client-Principal',
    'X-MS-Client-Principal-Name',
    'CF-Access-Authenticated-User-Email',
    'Tailscale-User-Login',
    'SSL-Client-Cert',
    'X-SSL-Client-DN',
    'X-Client-Cert',
  ];
  t.ok(spoofed.length >= 40);
  const seen = (): IncomingMessage => backend.requests.at(-1)!;
  for (const name of spoofed) {
    const client = await answerTo(upgradeText('/ws?user=alice', { [name]: 'admin-spoofed' }));
    t.equal(client.status, 101, name);
    t.notMatch(seen().rawHeaders.join(' '), /spoofed/, `${name}, with an upgrade`);
    t.equal(seen().headers['pinwheel-user'], 'alice');
    await hangUp(client);
    const plain = `GET /page?user=alice HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${name}: admin-spoofed\r\n\r\n`;
    t.equal((await answerTo(plain)).status, 200, name);
    t.notMatch(seen().rawHeaders.join(' '), /spoofed/, `${name}, with a plain request`);
    t.equal(seen().headers['pinwheel-user'], 'alice');
  }
  const all = upgradeText('/ws?user=alice', Object.fromEntries(spoofed.map((name) => [name, 'spoofed'])));
  const client = await answerTo(all);
  t.equal(client.status, 101, 'all at once');
  t.notMatch(seen().rawHeaders.join(' '), /spoofed/);
  await hangUp(client);
  const kept = await answerTo(upgradeText('/ws?user=alice', { 'X-Request-Id': '7', 'User-Agent': 'me' }));
  t.match(seen().headers, { 'x-request-id': '7', 'user-agent': 'me' }, 'others do');
  await hangUp(kept);
  t.equal(edge.status.connections, 0);
});

t.test('a webhook that says who clients are', async (t) => {
  const questions: { path: string; query: string; headers: Record<string, string> }[] = [];
  let answer: [status: number, body: string] | undefined = [200, '{"user":"alice"}'];
  const logins = new Set<string | undefined>();
  const port = await startHttpServer(t, (request, response) => {
    let text = '';
    logins.add(request.headers.authorization);
    request.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    request.on('end', () => {
      questions.push(JSON.parse(text));
      if (answer === undefined) return;
      response.statusCode = answer[0];
      response.setHeader('location', 'http://127.0.0.1:1/');
      response.end(answer[1]);
    });
  });
  const authUrl = `http://edge:secret@127.0.0.1:${port}/auth`;

  for (const upstream of upstreams) {
    t.test(upstream, async (t) => {
      const options = { auth: 'webhook', authUrl, authTimeoutMs: 300, authCacheMs: 60_000 } as const;
      const { edge, node, backend, answerTo, hangUp, lines } = await admissionSituation(t, upstream, options);
      let n = 0;
      const fresh = (): string =>
        upgradeText(`/ws?ticket=${upstream}-${n++}&token=secret`, { Cookie: 'sid=42' });
      answer = [200, '{"user":"alice"}'];
      const text = fresh();
      const client = await answerTo(text);
      t.equal(client.status, 101);
      t.match(questions.at(-1), {
        path: '/ws',
        query: `ticket=${upstream}-0&token=secret`,
        headers: { cookie: 'sid=42' },
      });
      if (upstream === 'link') t.ok(await node.session('alice'));
      else {
        t.equal(backend.requests.at(-1)?.headers['pinwheel-user'], 'alice');
        t.equal(backend.requests.at(-1)?.url, '/ws?ticket=tunnel-0');
      }
      await hangUp(client);
      const asked = questions.length;
      await hangUp(await answerTo(text));
      t.equal(questions.length, asked, 'the same question is not asked again');

      const refusals: readonly (readonly [string, [number, string] | undefined, number])[] = [
        ['401', [401, '{}'], 401],
        ['403', [403, ''], 403],
        ['401 with a long page', [401, 'x'.repeat(100_000)], 401],
        ['500', [500, '{"user":"alice"}'], 503],
        ['204', [204, ''], 503],
        ['201', [201, '{"user":"alice"}'], 503],
        ['a redirect', [302, '{"user":"alice"}'], 503],
        ['no JSON', [200, 'alice'], 503],
        ['null', [200, 'null'], 503],
        ['no user', [200, '{}'], 503],
        ['a number', [200, '{"user":7}'], 503],
        ['an empty user', [200, '{"user":""}'], 503],
        ['a long user', [200, `{"user":"${'x'.repeat(257)}"}`], 503],
        ['a lone surrogate', [200, '{"user":"\\ud800"}'], 503],
        ['an end that is past', [200, '{"user":"alice","expiresAt":1}'], 401],
        ['an end that is no number', [200, '{"user":"alice","expiresAt":"soon"}'], 503],
        ['1 MB', [200, `{"user":"alice","x":"${'x'.repeat(1_048_576)}"}`], 503],
        ['nothing in time', undefined, 503],
      ];
      for (const [what, says, status] of refusals) {
        answer = says;
        t.equal((await answerTo(fresh())).status, status, what);
      }
      answer = [200, JSON.stringify({ user: 'alice', expiresAt: Date.now() + 700 })];
      const short = await answerTo(fresh());
      t.equal(short.status, 101);
      await short.gone();
      t.ok(short.body.includes('the token has ended'), 'and ends when it is said');
      t.match(await edge.metrics(), /auth_webhook_total\{outcome="cached"\} 1/);
      t.notMatch(lines.join('\n'), /secret|sid=42/);
      t.same([...logins], [`Basic ${Buffer.from('edge:secret').toString('base64')}`]);
    });
  }
});

t.test('options that would let in whoever comes', async (t) => {
  const jwt = { jwks: '/keys.json', issuer: 'i', audience: 'a' };
  const url = (jwks: string) => ({ auth: 'jwt', jwt: { ...jwt, jwks } }) as const;
  const cases: readonly (readonly [Partial<EdgeOptions>, RegExp])[] = [
    [{ host: '0.0.0.0' }, /host is 0.0.0.0 and auth is none/],
    [{ host: '0.0.0.0', auth: 'none', allowOrigin: ['https://a.example'] }, /auth is none/],
    [{ auth: 'jwt' }, /auth is jwt and jwt is missing/],
    [{ auth: 'webhook' }, /auth is webhook and authUrl is missing/],
    [{ auth: 'basic' as 'none' }, /auth is "basic"; it must be one of none, jwt, webhook/],
    [{ jwt }, /jwt is given and auth is none/],
    [{ authUrl: 'http://x/' }, /authUrl is given and auth is none/],
    [{ auth: 'webhook', authUrl: 'ftp://x' }, /authUrl is "ftp:\/\/x"/],
    [{ auth: 'jwt', jwt: { ...jwt, issuer: [] } }, /jwt.issuer is \[\]; it must be one or more texts/],
    [{ auth: 'jwt', jwt: { ...jwt, audience: '' } }, /jwt.audience is ""/],
    [{ auth: 'jwt', jwt: { ...jwt, algorithms: ['none'] } }, /jwt.algorithms is "none"/],
    [{ auth: 'jwt', jwt: { ...jwt, algorithms: ['RS256', 'HS256'] } }, /jwt.algorithms is "HS256"/],
    [{ auth: 'jwt', jwt: { ...jwt, algorithms: [] } }, /one or more of RS256/],
    [{ auth: 'jwt', jwt: { ...jwt, leewaySeconds: 301 } }, /leewaySeconds is 301/],
    [{ auth: 'jwt', jwt: { ...jwt, cookie: 'session' } }, /jwt.cookie is given and allowOrigin is not/],
    [{ auth: 'jwt', jwt: { ...jwt, cookie: 'a b' }, allowOrigin: [] }, /jwt.cookie is "a b"/],
    [url('http://keys.example/jwks.json'), /it must be an https: URL/],
    [url('http://127.0.0.1.example/jwks.json'), /it must be an https: URL/],
    [{ allowOrigin: ['https://a.example/'] }, /allowOrigin is "https:\/\/a.example\/"/],
    [{ allowOrigin: ['*'] }, /allowOrigin is "\*"/],
    [{ allowOrigin: ['https://A.example'] }, /in lower case/],
    [{ allowOrigin: ['https://a.example:443'] }, /allowOrigin is/],
  ];
  for (const [options, message] of cases) {
    const edge = createEdge({ id: 'e1', tracker: new FakeTracker(), ...options } as EdgeOptions);
    await t.rejects(edge, { code: 'bad-option', message }, String(message));
  }
});
