import { generateKeyPairSync } from 'node:crypto';
import t from 'tap';
import { admissionSituation, upstreams } from './admission-situation.js';
import { upgradeText } from './raw-client.js';
import { encoded, goodClaims, publicPem, signedWithSecret, TokenIssuer } from './token-issuer.js';

const ours = new TokenIssuer();
const theirs = new TokenIssuer();
const now = Math.floor(Date.now() / 1000);
const good = ours.token();
const [header = '', payload = '', signature = ''] = good.split('.');
const { kid } = ours.signers.ES256;
const { RS256: rsa, ES256: ec } = ours.signers;
const jwkOfTheirs = theirs.signers.ES256.publicKey.export({ format: 'jwk' });
const unsigned = (alg: unknown): string =>
  `${encoded(JSON.stringify({ alg, typ: 'JWT' }))}.${encoded(JSON.stringify(goodClaims()))}.`;
const secretly = (secret: string | Buffer): string =>
  signedWithSecret({ alg: 'HS256', typ: 'JWT', kid }, goodClaims(), secret);
const json = (value: unknown): string => JSON.stringify(value);
const ourHeader = json({ alg: 'ES256', kid });
const small = new TokenIssuer();
const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
Object.assign(small.signers, { RS256: { alg: 'RS256', kid: 'weak', ...weak } });

/** None of these is a token of ours for this service and a user, now. */
const bad: readonly (readonly [string, string])[] = [
  ['empty', ''],
  ['a word', 'password'],
  ['two parts', `${header}.${payload}`],
  ['four parts', `${good}.${signature}`],
  ['five parts, as an encrypted one has', `${header}.a.b.c.${signature}`],
  ['without a signature', `${header}.${payload}.`],
  ['alg none without a signature', unsigned('none')],
  ['alg none with a signature', `${unsigned('none')}${signature}`],
  ['alg None', `${unsigned('None')}${signature}`],
  ['alg nOnE', `${unsigned('nOnE')}${signature}`],
  ['alg empty', `${unsigned('')}${signature}`],
  ['alg a number', `${unsigned(256)}${signature}`],
  ['alg an array', `${unsigned(['ES256'])}${signature}`],
  ['without alg', `${unsigned(undefined)}${signature}`],
  ['HS256 with the public RSA key as its secret', secretly(publicPem(rsa.publicKey))],
  ['HS256 with the public EC key as its secret', secretly(publicPem(ec.publicKey))],
  ['HS256 with the JWK as its secret', secretly(json(ec.publicKey.export({ format: 'jwk' })))],
  ['HS256 with the DER as its secret', secretly(ec.publicKey.export({ format: 'der', type: 'spki' }))],
  ['HS256 with an empty secret', secretly('')],
  ['an algorithm that is not configured', ours.token({}, { alg: 'RS512' }, 'RS256')],
  ['an algorithm of another key', ours.token({}, { alg: 'RS256' })],
  ['a changed payload', `${header}.${encoded(json({ ...goodClaims(), sub: 'admin' }))}.${signature}`],
  ['a changed header', `${encoded(json({ alg: 'ES256', kid, x: 1 }))}.${payload}.${signature}`],
  ['a changed signature', `${header}.${payload}.${signature.replace(/^./, (c) => (c === 'A' ? 'B' : 'A'))}`],
  ['a signature of zeros (CVE-2022-21449)', `${header}.${payload}.${encoded(Buffer.alloc(64))}`],
  ['a short signature', `${header}.${payload}.${signature.slice(0, 20)}`],
  ['a signature in DER', `${header}.${payload}.${encoded(Buffer.from('3006020101020101', 'hex'))}`],
  [
    'the signature of another token',
    `${good.slice(0, good.lastIndexOf('.'))}.${ours.token({ sub: 'b' }).split('.')[2]}`,
  ],
  ['signed by somebody else under our kid', theirs.token({}, { kid })],
  ['signed by somebody else under no kid', theirs.token({}, { kid: undefined })],
  ['signed by an unknown key', theirs.token({}, { kid: 'unknown' })],
  ['signed with a key of 1,024 bits', small.token({}, { kid: rsa.kid }, 'RS256')],
  ['kid a path', theirs.token({}, { kid: '../../../../dev/null' })],
  [
    'kid a path to an empty file',
    secretly('').replace(/^[^.]+/, encoded(json({ alg: 'HS256', kid: '/dev/null' }))),
  ],
  ['kid SQL', theirs.token({}, { kid: "' OR 1=1 --" })],
  ['kid a URL', theirs.token({}, { kid: 'http://127.0.0.1:1/key' })],
  ['kid an object', theirs.token({}, { kid: { toString: 'x' } })],
  ['kid __proto__', theirs.token({}, { kid: '__proto__' })],
  ['its own key in jwk', theirs.token({}, { jwk: jwkOfTheirs, kid: undefined })],
  ['its own key in jwk, under our kid', theirs.token({}, { jwk: jwkOfTheirs, kid })],
  ['its own keys at jku', theirs.token({}, { jku: 'http://127.0.0.1:1/jwks.json' })],
  ['its own certificate at x5u', theirs.token({}, { x5u: 'http://127.0.0.1:1/cert.pem' })],
  ['its own certificate in x5c', theirs.token({}, { x5c: ['MIIB'] })],
  ['an unknown critical header', ours.token({}, { crit: ['magic'], magic: true })],
  ['an empty list of critical headers', ours.token({}, { crit: [] })],
  ['crit that is no list', ours.token({}, { crit: 'exp' })],
  ['an unencoded payload (b64)', ours.token({}, { crit: ['b64'], b64: false })],
  ['of a logout', ours.token({}, { typ: 'logout+jwt' })],
  ['of an event', ours.token({}, { typ: 'secevent+jwt' })],
  ['of an identity proof', ours.token({}, { typ: 'dpop+jwt' })],
  ['another issuer', ours.token({ iss: 'https://elsewhere.example' })],
  ['another issuer with our prefix', ours.token({ iss: 'https://issuer.example.evil' })],
  ['the issuer with a slash', ours.token({ iss: 'https://issuer.example/' })],
  ['the issuer in a list', ours.token({ iss: ['https://issuer.example'] })],
  ['without an issuer', ours.token({ iss: undefined })],
  ['another audience', ours.token({ aud: 'mail' })],
  ['other audiences', ours.token({ aud: ['mail', 'chats'] })],
  ['the audience in a list in a list', ours.token({ aud: [['chat']] })],
  ['the audience as an object', ours.token({ aud: { chat: true } })],
  ['no audience', ours.token({ aud: undefined })],
  ['an empty list of audiences', ours.token({ aud: [] })],
  ['expired an hour ago', ours.token({ exp: now - 3600 })],
  ['expired past the leeway', ours.token({ exp: now - 30 })],
  ['expired in 1970', ours.token({ exp: 0 })],
  ['exp negative', ours.token({ exp: -1 })],
  ['without exp', ours.token({ exp: undefined })],
  ['exp null', ours.token({ exp: null })],
  ['exp a text', ours.token({ exp: String(now + 600) })],
  ['exp an array', ours.token({ exp: [now + 600] })],
  ['exp infinite', ours.signed(ourHeader, json(goodClaims()).replace(/"exp":\d+/, '"exp":1e999'))],
  ['not valid yet', ours.token({ nbf: now + 600 })],
  ['nbf a text', ours.token({ nbf: String(now - 60) })],
  ['without a user', ours.token({ sub: undefined })],
  ['user null', ours.token({ sub: null })],
  ['user a number', ours.token({ sub: 42 })],
  ['user true', ours.token({ sub: true })],
  ['user a list', ours.token({ sub: ['alice'] })],
  ['user an object', ours.token({ sub: { toString: 'alice' } })],
  ['user empty', ours.token({ sub: '' })],
  ['user of 257 bytes', ours.token({ sub: 'x'.repeat(257) })],
  ['user of 258 bytes in 86 characters', ours.token({ sub: '€'.repeat(86) })],
  ['user a lone surrogate', ours.signed(ourHeader, json(goodClaims()).replace('alice', '\\ud800'))],
  ['sub twice', ours.signed(ourHeader, json(goodClaims()).replace('{', '{"sub":"admin",'))],
  [
    'sub twice, once escaped',
    ours.signed(ourHeader, json(goodClaims()).replace('{', '{"\\u0073ub":"admin",')),
  ],
  ['aud twice', ours.signed(ourHeader, json(goodClaims()).replace('{', '{"aud":"mail",'))],
  ['exp twice', ours.signed(ourHeader, json(goodClaims()).replace('{', '{"exp":1,'))],
  ['alg twice', ours.signed(ourHeader.replace('{', '{"alg":"none",'), json(goodClaims()))],
  ['a payload that is not JSON', ours.signed(ourHeader, 'alice')],
  ['a payload that is empty', ours.signed(ourHeader, '')],
  ['a payload of null', ours.signed(ourHeader, 'null')],
  ['a payload that is a list', ours.signed(ourHeader, json([goodClaims()]))],
  ['a payload of nested lists', ours.signed(ourHeader, '['.repeat(1000) + ']'.repeat(1000))],
  ['a payload that is a text', ours.signed(ourHeader, json('alice'))],
  ['a payload that is not UTF-8', `${header}.${encoded(Buffer.from([0xff, 0xfe]))}.${signature}`],
  ['a header that is not JSON', ours.signed('alg=ES256', json(goodClaims()))],
  ['a header that is a list', ours.signed('[]', json(goodClaims()))],
  ['with padding', `${header}=.${payload}.${signature}`],
  ['in base64, not base64url', good.replace(/-/g, '+').replace(/_/g, '/').replace(/\./, '+.')],
  ['with a blank inside', `${header}. ${payload}.${signature}`],
  ['with a NUL', `${header}.${payload}.${signature}%00`],
  ['a good one twice in one', `${good}${good}`],
];

for (const upstream of upstreams) {
  t.test(`bad tokens, ${upstream}`, async (t) => {
    const { edge, node, backend, answerTo, said } = await admissionSituation(t, upstream, {}, ours);
    let accepted = 0;
    for (const [what, token] of bad) {
      const client = await answerTo(upgradeText(`/ws?token=${token.replaceAll(' ', '%20')}`));
      if (client.status === 101) accepted++;
      t.equal(client.status, 401, `${what}: ${client.text.slice(0, 100)}`);
      const inside = token.length > 20 ? token.slice(0, 200) : token;
      if (inside !== '') t.notOk(client.text.includes(inside), `${what}: is not sent back`);
    }
    t.equal(accepted, 0);
    t.ok(bad.length >= 40, `${bad.length} tokens`);

    const twice = (first: string, second: string): string =>
      upgradeText(`/ws?token=${first}&token=${second}`);
    const other = ours.token({ sub: 'bob' });
    const requests: readonly (readonly [string, string])[] = [
      ['without a token', upgradeText('/ws')],
      ['with a user instead of a token', upgradeText('/ws?user=alice')],
      ['with the parameter in other letters', upgradeText(`/ws?Token=${good}`)],
      ['with an encoded name of the parameter', upgradeText(`/ws?%74oken=${good}`)],
      ['with a good one twice', twice(good, good)],
      ['with two good ones', twice(good, other)],
      ['with two in two places', upgradeText(`/ws?token=${good}`, { Authorization: `Bearer ${other}` })],
      ['with a good one and an empty one', twice(good, '')],
      [
        'with two subprotocols',
        upgradeText('/ws', { 'Sec-WebSocket-Protocol': `bearer.${good}, bearer.${other}` }),
      ],
      ['with a good one as Basic', upgradeText('/ws', { Authorization: `Basic ${good}` })],
      ['with a good one without a scheme', upgradeText('/ws', { Authorization: good })],
      ['with a good one in a cookie that is not ours', upgradeText('/ws', { Cookie: `token=${good}` })],
      ['with a good one in pinwheel-user', upgradeText('/ws', { 'pinwheel-user': 'alice' })],
      ['with a good one in a header of its own', upgradeText('/ws', { 'X-Token': good })],
    ];
    for (const [what, text] of requests) t.equal((await answerTo(text)).status, 401, what);

    const huge = await answerTo(upgradeText('/ws', { Authorization: `Bearer ${'a'.repeat(1_048_576)}` }));
    t.not(huge.status, 101, `a token of 1 MB: ${huge.status}`);
    const long = await answerTo(upgradeText(`/ws?token=${'a'.repeat(1_048_576)}`));
    t.not(long.status, 101, `a parameter of 1 MB: ${long.status}`);

    t.equal(edge.status.sessionsAttached, 0);
    t.equal(node.sessions.size, 0);
    t.equal(backend.requests.length, 0);
    const written = await said();
    for (const [, token] of bad) {
      const part = token.split('.').sort((a, b) => b.length - a.length)[0]!;
      if (part.length > 20) t.notOk(written.includes(part.slice(0, 200)), 'no token in a log or metric');
    }
    t.match(written, /pinwheel_edge_upgrades_total\{outcome="bad-token"\} \d{2,}/);
  });
}
