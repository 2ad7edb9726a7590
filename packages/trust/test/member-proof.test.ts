import t from 'tap';
import {
  isMemberNonce,
  KeyRing,
  type MemberClaim,
  memberProofKey,
  proveMember,
  Signer,
} from '../src/index.js';

const ring = (...ids: string[]): { current: KeyRing } => ({
  current: KeyRing.parse(JSON.stringify({ keys: ids.map((id) => ({ id, secret: id.repeat(32) })) })),
});
const claim: MemberClaim = { id: 'n1', incarnation: 'i1', address: '10.0.0.1', port: 7001, wsPort: 7101 };
const nonce = 'n'.repeat(32);

t.test('a member proves that it has a key, for one nonce and one place', async (t) => {
  const proof = proveMember(ring('a', 'b'), claim, nonce);
  for (const keys of [ring('a'), ring('b', 'a')]) {
    t.equal(memberProofKey(keys, claim, nonce, proof), keys.current.get('a'), 'and says with which');
  }
  const { wsPort: _, ...withoutWs } = claim;
  const other = { current: KeyRing.parse(JSON.stringify({ keys: [{ id: 'a', secret: 'z'.repeat(32) }] })) };
  const rows: readonly (readonly [string, { current: KeyRing }, MemberClaim, string, string])[] = [
    ['an unknown key', ring('b'), claim, nonce, proof],
    ['another secret under its id', other, claim, nonce, proof],
    ['another nonce', ring('a'), claim, 'm'.repeat(32), proof],
    ['another id', ring('a'), { ...claim, id: 'n2' }, nonce, proof],
    ['another incarnation', ring('a'), { ...claim, incarnation: 'i2' }, nonce, proof],
    ['another address', ring('a'), { ...claim, address: '10.0.0.2' }, nonce, proof],
    ['another port', ring('a'), { ...claim, port: 7002 }, nonce, proof],
    ['another WebSocket port', ring('a'), { ...claim, wsPort: 7102 }, nonce, proof],
    ['no WebSocket port', ring('a'), withoutWs, nonce, proof],
    ['nothing', ring('a'), claim, nonce, ''],
    ['a word', ring('a'), claim, nonce, 'proof'],
    ['a short mac', ring('a'), claim, nonce, proof.slice(0, -1)],
    ['a longer mac', ring('a'), claim, nonce, `${proof}A`],
    ['the nonce itself', ring('a'), claim, nonce, `v1.a.${nonce}`],
    [
      'a proof of a call',
      ring('a'),
      claim,
      nonce,
      new Signer(ring('a')).sign({ method: 'GET', target: '/healthz', to: 'n1', headers: '' }),
    ],
  ];
  for (const [what, keys, of, asked, given] of rows) {
    t.equal(memberProofKey(keys, of, asked, given), undefined, what);
  }
  for (const text of ['', 'short', 'n'.repeat(65), `${'n'.repeat(31)}\n`, 'a b'.repeat(8)])
    t.notOk(isMemberNonce(text), JSON.stringify(text));
});
