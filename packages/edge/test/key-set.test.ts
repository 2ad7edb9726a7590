import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { until } from '../../../test/kit/until.js';
import { admissionSituation } from './admission-situation.js';
import { upgradeText } from './raw-client.js';
import { audience, issuer, TokenIssuer } from './token-issuer.js';

t.test('the key set', async (t) => {
  const first = new TokenIssuer('first');
  const second = new TokenIssuer('second');
  let served: unknown = first.jwks;
  let status = 200;
  let asked = 0;
  const server = createServer(({ headers }, response) => {
    asked++;
    const isKnown = headers.authorization === `Basic ${Buffer.from('edge:s3cret').toString('base64')}`;
    response.statusCode = isKnown ? status : 401;
    response.end(typeof served === 'string' ? served : JSON.stringify(served));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const jwks = `http://edge:s3cret@127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`;
  const jwt = { jwks, issuer, audience, refreshMs: 1000 };
  const { edge, lines, answerTo, hangUp } = await admissionSituation(t, 'link', { jwt }, first);
  const statusOf = async (token: string): Promise<number> => {
    const client = await answerTo(upgradeText(`/ws?token=${token}`));
    if (client.status === 101) await hangUp(client);
    return client.status;
  };
  const oneOf = (outcome: string) => async (): Promise<number> =>
    Number(
      new RegExp(`key_set_reads_total\\{outcome="${outcome}"\\} (\\d+)`).exec(await edge.metrics())?.[1],
    );
  const more = async (count: () => Promise<number>): Promise<void> => {
    const before = await count();
    let now = before;
    while (now === before) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      now = await count();
    }
  };

  t.equal(await statusOf(first.token()), 101);
  t.equal(await statusOf(second.token()), 401, 'signed with a key that is not there');
  served = { keys: [...first.jwks.keys, ...second.jwks.keys] };
  await more(oneOf('read'));
  t.equal(await statusOf(second.token()), 101, 'the next one is known once it was read again');
  served = second.jwks;
  await more(oneOf('read'));
  t.equal(await statusOf(first.token()), 401, 'one that was taken out is not good any more');

  for (const broken of [
    '',
    'null',
    '[]',
    '{"keys":{}}',
    '{"keys":[]}',
    '{"keys":[{"kty":"oct","k":"AAAA"}]}',
  ]) {
    served = broken;
    await more(oneOf('failed'));
    t.equal(await statusOf(second.token()), 101, `the last one stays good behind ${broken || 'nothing'}`);
  }
  status = 500;
  await more(oneOf('failed'));
  t.equal(await statusOf(second.token()), 101, 'and behind a 500');
  t.ok(lines.some((line) => line.includes('the last ones stay good')));
  server.close();
  server.closeAllConnections();
  // a read that was under way fails otherwise
  await until('why it is not reached is in the log', () => lines.at(-1)?.includes('ECONNREFUSED'));
  t.notMatch(lines.join('\n'), /s3cret/);
  t.ok(asked < 100, `asked ${asked} times`);
});

t.test('while the keys have never been read nobody is admitted, and everybody may come again', async (t) => {
  const tokens = new TokenIssuer();
  const jwks = `${t.testdir()}/jwks.json`;
  const jwt = { jwks, issuer, audience, refreshMs: 1000 };
  // with a check of its own in front
  const guarded = { jwt, allowOrigin: ['https://chat.example'] };
  const { answerTo, edge } = await admissionSituation(t, 'tunnel', guarded, tokens);
  const readiness = async () => {
    const answer = await fetch(`http://127.0.0.1:${edge.adminPort}/readyz`);
    return [answer.status, ((await answer.json()) as { readonly reason?: string }).reason];
  };
  const why = 'the keys that tokens are signed with could not be read yet';
  t.same(await readiness(), [503, why], 'so that a roll-out stops here');
  const refused = await answerTo(upgradeText(`/ws?token=${tokens.token()}`));
  t.equal(refused.status, 503);
  t.match(refused.text, /retry-after: 1/);
  writeFileSync(jwks, JSON.stringify(tokens.jwks));
  let status = 503;
  while (status === 503) {
    const client = await answerTo(upgradeText(`/ws?token=${tokens.token()}`));
    status = client.status;
    if (status === 503) await new Promise((resolve) => setTimeout(resolve, 50));
    else client.socket.destroy();
  }
  t.equal(status, 101);
  t.same(await readiness(), [200, undefined]);
  rmSync(jwks);
});
