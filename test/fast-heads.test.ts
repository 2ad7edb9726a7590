import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { openCertificateFiles } from '@pinwheel/trust';
import t from 'tap';
import { admissionSituation } from '../packages/edge/test/admission-situation.js';
import { clientFrame, RawClient, upgradeText } from '../packages/edge/test/raw-client.js';
import { makeCertificate } from './kit/certificate.js';
import { startFront } from './kit/limited-front.js';
import { until } from './kit/until.js';

/**
 * Shorter than uWebSockets.js has it: the heads of links and of a node's own port are watched. Long enough for both ends of
 * twice the crowd's TLS handshakes in this one process, beside other work.
 */
const headTimeoutMs = 5000;
const crowd = 100;
const longAfterMs = headTimeoutMs + 1500;
const plainText = 'GET /other HTTP/1.1\r\nhost: x\r\n\r\n';

const { cert, key } = makeCertificate();
const folder = t.testdir({ 'cert.pem': cert, 'key.pem': key });
const tls = openCertificateFiles({ cert: `${folder}/cert.pem`, key: `${folder}/key.pem` });
t.teardown(() => tls.close());

/** Says something when it is opened, and keeps what comes. */
class Fast {
  readonly socket;
  text = '';

  constructor(port: number, isTls: boolean, said: string) {
    const options = { port, host: '127.0.0.1', rejectUnauthorized: false };
    this.socket = isTls ? connectTls(options) : connect(options);
    this.socket.on('error', () => {});
    this.socket.on('data', (chunk) => {
      this.text += chunk.toString('latin1');
    });
    this.socket.write(said);
  }
}

for (const kind of ['link', 'node'] as const) {
  for (const isTls of [false, true]) {
    t.test(`many at once at ${kind}${isTls ? ' with TLS' : ''}`, async (t) => {
      const front = await startFront(t, kind, {
        headTimeoutMs,
        maxConnectionsPerUser: 0,
        ...(isTls ? { tls } : {}),
      });
      const taken = Array.from(
        { length: crowd },
        (_, i) => new Fast(front.port, isTls, upgradeText(`/ws?user=u${i}`)),
      );
      const refused = Array.from({ length: crowd }, () => new Fast(front.port, isTls, plainText));
      t.teardown(() => taken.forEach(({ socket }) => void socket.destroy()));
      await until('all plain requests are answered', () => refused.every(({ socket }) => socket.closed));
      t.ok(refused.every(({ text }) => /^HTTP\/1.1 4\d\d /.test(text)));
      await until('all upgrades are', () => taken.every(({ text }) => text.startsWith('HTTP/1.1 101 ')));

      await new Promise((resolve) => setTimeout(resolve, longAfterMs));
      taken.forEach(({ socket }, i) => void socket.write(clientFrame(`said by ${i};`)));
      await until('each hears her echo, long after', () =>
        taken.every(({ text }, i) => text.includes(`said by ${i};`)),
      );
      t.ok(taken.every(({ socket }) => !socket.closed));
      t.equal(await front.reached('head-time'), 0, 'nobody was too late');
    });
  }
}

t.test('clients whose tokens are looked at', async (t) => {
  const { edge, tokens } = await admissionSituation(t, 'link', { headTimeoutMs });
  const token = tokens.token();
  const withToken = (sent: string): string => upgradeText('/ws', { authorization: `Bearer ${sent}` });
  const good = Array.from({ length: crowd }, () => new Fast(edge.port, false, withToken(token)));
  const bad = Array.from({ length: crowd }, () => new Fast(edge.port, false, withToken('what')));
  // some leave while theirs is looked at
  for (let i = 0; i < crowd; i++) new Fast(edge.port, false, withToken(token)).socket.resetAndDestroy();
  t.teardown(() => good.forEach(({ socket }) => void socket.destroy()));
  await until('the bad ones are refused', () => bad.every(({ text }) => text.startsWith('HTTP/1.1 401 ')));
  await until('the good ones are taken', () => good.every(({ text }) => text.startsWith('HTTP/1.1 101 ')));
  await new Promise((resolve) => setTimeout(resolve, longAfterMs));
  const lastWords = good.filter(({ socket }) => socket.closed).map(({ text }) => text.split('\r\n\r\n')[1]);
  t.same(lastWords, [], 'and stay');
  const silent = await new RawClient(edge.port).gone();
  t.equal(silent.text, '', 'one that says nothing is ended');
  t.match(await edge.metrics(), /limits_reached_total\{limit="head-time"\} 1$/m);
});
