import t from 'tap';
import { WebSocket } from 'ws';
import { until } from '../../../test/kit/until.js';
import { admissionSituation, upstreams } from './admission-situation.js';
import { RawClient, serverFrames, upgradeText } from './raw-client.js';
import { type Algorithm, audience, issuer, TokenIssuer } from './token-issuer.js';

const algorithms: readonly Algorithm[] = ['RS256', 'ES256', 'EdDSA'];
const cookie = { jwks: '', issuer, audience, cookie: 'session' };

for (const upstream of upstreams) {
  t.test(`good tokens, ${upstream}`, async (t) => {
    const tokens = new TokenIssuer();
    const folder = t.testdir({ 'jwks.json': JSON.stringify(tokens.jwks) });
    const { node, backend, answerTo, hangUp, said } = await admissionSituation(
      t,
      upstream,
      { jwt: { ...cookie, jwks: `${folder}/jwks.json` }, allowOrigin: ['https://chat.example'] },
      tokens,
    );
    const places: Readonly<Record<string, (token: string) => string>> = {
      'a subprotocol': (token) =>
        upgradeText('/ws?a=1&b=2', { 'Sec-WebSocket-Protocol': `pinwheel.raw, bearer.${token}` }),
      'a subprotocol, first': (token) =>
        upgradeText('/ws?a=1&b=2', { 'Sec-WebSocket-Protocol': `bearer.${token},pinwheel.raw` }),
      Authorization: (token) => upgradeText('/ws?a=1&b=2', { Authorization: `Bearer ${token}` }),
      'authorization, in small letters': (token) =>
        upgradeText('/ws?a=1&b=2', { authorization: `bearer   ${token}` }),
      'a cookie': (token) => upgradeText('/ws?a=1&b=2', { Cookie: `a=b; session=${token}; c=d` }),
      'the query': (token) => upgradeText(`/ws?a=1&token=${token}&b=2`),
    };
    const sent: string[] = [];
    for (const alg of algorithms) {
      for (const [place, text] of Object.entries(places)) {
        const user = `${alg}-${place.replaceAll(/[^a-z]/gi, '')}`;
        const token = tokens.token({ sub: user }, {}, alg);
        sent.push(token);
        const client = await answerTo(text(token));
        t.equal(client.status, 101, `${alg} in ${place}: ${client.text.slice(0, 80)}`);
        t.notOk(client.text.includes(token), 'the token is not echoed');
        if (upstream === 'link') {
          await node.session(user);
          const chosen = place.startsWith('a subprotocol');
          t.equal(
            /sec-websocket-protocol: pinwheel.raw/i.test(client.text),
            chosen,
            'the other one is chosen',
          );
        } else {
          const seen = backend.requests.at(-1)!;
          t.equal(seen.headers['pinwheel-user'], user, `the backend is told ${user}`);
          t.equal(seen.url, '/ws?a=1&b=2', 'the rest of the query stays');
          const all = `${seen.url} ${seen.rawHeaders.join(' ')}`;
          t.notOk(
            all.includes(token.slice(-40)) || /bearer|session=/i.test(all),
            `no token reaches it: ${all}`,
          );
          if (place === 'a cookie') t.equal(seen.headers.cookie, 'a=b; c=d', 'other cookies do');
        }
        await hangUp(client);
      }
    }
    const text = await said();
    for (const token of sent)
      t.notOk(text.includes(token.split('.')[2]!), 'nothing of it is logged or counted');
  });

  t.test(`the end of a token, ${upstream}`, async (t) => {
    const tokens = new TokenIssuer();
    const folder = t.testdir({ 'jwks.json': JSON.stringify(tokens.jwks) });
    const jwt = { jwks: `${folder}/jwks.json`, issuer, audience, leewaySeconds: 0 };
    const { edge, answerTo } = await admissionSituation(t, upstream, { jwt }, tokens);
    const exp = Math.floor(Date.now() / 1000) + 2;
    const client = await answerTo(upgradeText(`/ws?token=${tokens.token({ exp })}`));
    t.equal(client.status, 101);
    await client.gone();
    t.ok(Date.now() >= exp * 1000, 'not before it');
    const frames = serverFrames(client.body);
    const last = frames.at(-1)!;
    t.equal(last.opcode, 8);
    t.equal(last.payload.readUInt16BE(0), 4005);
    t.equal(last.payload.subarray(2).toString(), 'the token has ended');
    await until('the edge has forgotten it', () => edge.status.connections === 0);
    t.match(await edge.metrics(), /reason="token-expired"\} 1/);
  });
}

t.test('an answer that does not end is cut off after the end of the token', async (t) => {
  const tokens = new TokenIssuer();
  const folder = t.testdir({ 'jwks.json': JSON.stringify(tokens.jwks) });
  const jwt = { jwks: `${folder}/jwks.json`, issuer, audience, leewaySeconds: 0 };
  const more = { jwt, requestTimeoutMs: 500 };
  const { edge, backend } = await admissionSituation(t, 'tunnel', more, tokens);
  backend.http.removeAllListeners('request').on('request', (_request, response) => {
    const timer = setInterval(() => response.write('more'), 20);
    response.once('close', () => clearInterval(timer));
  });
  const endOf = async (exp: number): Promise<number> => {
    const client = new RawClient(edge.port);
    client.write(`GET /x?token=${tokens.token({ exp })} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await client.answered();
    t.equal(client.status, 200, client.text.slice(0, 200));
    await client.gone();
    return Date.now();
  };
  const exp = Math.floor(Date.now() / 1000) + 2;
  t.ok((await endOf(exp)) >= exp * 1000, 'not before it');
  await until('the backend has lost it', () => backend.sockets.size === 0);
  t.match(await edge.metrics(), /requests_total\{outcome="token-expired"\} 1/);
});

t.test('plain requests with tokens bring about no warnings of Node.js', async (t) => {
  const tokens = new TokenIssuer();
  const { edge } = await admissionSituation(t, 'tunnel', {}, tokens);
  const warned = (warning: Error): void => void t.fail(warning.message);
  process.on('warning', warned);
  t.teardown(() => void process.off('warning', warned));
  const client = new RawClient(edge.port);
  for (const connection of ['keep-alive', 'close']) {
    client.received = Buffer.alloc(0);
    client.write(`GET /x?token=${tokens.token()} HTTP/1.1\r\nHost: x\r\nConnection: ${connection}\r\n\r\n`);
    await client.answered();
    t.equal(client.status, 200, client.text);
  }
  await client.gone();
});

t.test('a client of pinwheel.v1 sends a new token when it is asked, and stays', async (t) => {
  const tokens = new TokenIssuer();
  const folder = t.testdir({ 'jwks.json': JSON.stringify(tokens.jwks) });
  const jwt = { jwks: `${folder}/jwks.json`, issuer, audience, leewaySeconds: 0 };
  const { edge, node } = await admissionSituation(t, 'link', { jwt }, tokens);
  const expires = (seconds: number) => ({ exp: Math.floor(Date.now() / 1000) + seconds });
  // twice as long as before its end a client is asked: one ask may be late
  const lifeSeconds = 10;
  let sessions = 0;
  const open = (answer: () => string | undefined) => {
    const asked: string[] = [];
    const session = String(sessions++).padStart(20, 'a');
    const protocols = ['pinwheel.v1', `bearer.${tokens.token(expires(lifeSeconds))}`];
    const socket = new WebSocket(`ws://127.0.0.1:${edge.port}/ws`, protocols);
    socket.on('open', () => socket.send(JSON.stringify({ type: 'hello', session, epoch: 1 })));
    socket.on('message', (data, binary) => {
      if (binary) return;
      const { type } = JSON.parse(String(data)) as { type: string };
      if (type !== 'renew') return;
      asked.push(type);
      const token = answer();
      if (token !== undefined) socket.send(JSON.stringify({ type: 'token', token }));
    });
    const closed = new Promise<number>((resolve) => socket.once('close', resolve));
    return { socket, closed, asked };
  };

  t.test('with a good one', async (t) => {
    const { socket, asked } = open(() => tokens.token(expires(600)));
    await node.session('alice');
    await until('it was renewed', () => asked.length === 1);
    await new Promise<void>((resolve) => {
      const timer = setInterval(async () => {
        if (!/renewals_total\{outcome="renewed"\} 1/.test(await edge.metrics())) return;
        clearInterval(timer);
        resolve();
      }, 20);
    });
    // one that it was not asked for is not looked at
    socket.send(JSON.stringify({ type: 'token', token: 'not.a.token' }));
    const before = Date.now();
    await until('the first token is over', () => Date.now() > before + 1000 * lifeSeconds + 500);
    t.equal(socket.readyState, WebSocket.OPEN, 'it is still there');
    t.equal(asked.length, 1);
    t.match(await edge.metrics(), /renewals_total\{outcome="refused"\} 0/);
    socket.terminate();
  });

  const wrong: readonly (readonly [string, () => string | undefined])[] = [
    ['of somebody else', () => tokens.token({ ...expires(600), sub: 'bob' })],
    ['that is bad', () => 'nonsense'],
    ['signed by nobody we know', () => new TokenIssuer().token(expires(600))],
    ['that has expired', () => tokens.token(expires(-60))],
    ['not at all', () => undefined],
  ];
  t.test('with a wrong one, or none', async (t) => {
    const clients = wrong.map(([what, answer]) => ({ what, ...open(answer) }));
    for (const { what, closed, asked } of clients) {
      t.equal(await closed, 4005, what);
      t.ok(asked.length >= 2, `${what}: asked ${asked.length} times`);
    }
  });
});

t.test('clients that leave while they are looked at leave nothing behind', async (t) => {
  for (const upstream of upstreams) {
    const { edge, tokens } = await admissionSituation(t, upstream);
    const text = upgradeText(`/ws?token=${tokens.token({}, {}, 'RS256')}`);
    for (let i = 0; i < 200; i++) {
      const client = new RawClient(edge.port).write(text);
      if (i % 2 === 0) client.socket.once('connect', () => client.socket.resetAndDestroy());
      else client.socket.once('connect', () => setImmediate(() => client.socket.destroy()));
    }
    await until('everybody is gone', () => edge.status.connections === 0);
    const client = await new RawClient(edge.port).write(text).answered();
    t.equal(client.status, 101, `${upstream}: the next one is taken`);
    client.socket.destroy();
    await until('it is gone', () => edge.status.connections === 0);
  }
});
