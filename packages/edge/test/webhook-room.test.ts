import { freePort } from '@pinwheel/bench/load/free-ports.js';
import { silentLog } from '@pinwheel/membership';
import { httpTarget } from '@pinwheel/server';
import t from 'tap';
import { startHttpServer } from '../../../test/kit/http-server.js';
import { recordedLog } from '../../membership/test/recorded-log.js';
import { admissionCounters } from '../src/admission/admission-counters.js';
import { WebhookAdmission } from '../src/admission/webhook-admission.js';

t.test(
  'a webhook that hangs: new clients have a bound, and those who are here renew their tokens',
  async (t) => {
    const port = await startHttpServer(t, () => {});
    const warned = (warning: Error): void => void t.fail(warning.message);
    process.on('warning', warned);
    t.teardown(() => void process.off('warning', warned));
    const options = { target: httpTarget(`http://127.0.0.1:${port}/`)!, timeoutMs: 60_000, cacheMs: 0 };
    const admission = new WebhookAdmission(options, admissionCounters(), silentLog);
    const asked = [];
    for (let i = 0; i < 256; i++) {
      asked.push(admission.admit({ path: '/ws', query: `x=${i}`, headers: new Map() }));
    }
    const refused = admission.admit({ path: '/ws', query: 'x=one too many', headers: new Map() });
    t.match(refused, { outcome: 'overloaded', refused: { status: 503 } });
    const renewals = Array.from({ length: 256 }, (_, i) => admission.renew(`token ${i}`));
    t.match(await admission.renew('one too many'), { outcome: 'overloaded' });
    admission.close();
    const outcomes = await Promise.all([...asked, ...renewals]);
    t.equal(outcomes.length, 512);
    t.ok(outcomes.every((answer) => 'outcome' in answer && answer.outcome === 'unavailable'));
  },
);

t.test('a webhook that fails: strangers do not fill the log', async (t) => {
  const port = await startHttpServer(t, (_, response) => void response.writeHead(500).end());
  const options = { target: httpTarget(`http://127.0.0.1:${port}/`)!, timeoutMs: 60_000, cacheMs: 0 };
  const [counters, log] = [admissionCounters(), recordedLog()];
  const admission = new WebhookAdmission(options, counters, log);
  t.teardown(() => admission.close());
  const from = performance.now();
  for (let i = 0; i < 100; i++) {
    t.match(await admission.admit({ path: '/ws', query: `x=${i}`, headers: new Map() }), {
      outcome: 'unavailable',
    });
  }
  const seconds = (performance.now() - from) / 1000;
  t.equal(counters.webhook.failed, 100);
  t.match(log.lines[0], /the auth webhook http:\/\/127.0.0.1:\d+\/ gave no answer: it answered 500/);
  t.ok(log.lines.length <= 1 + seconds, `${log.lines.length} lines in ${seconds} s`);
});

t.test('what is wrong with a webhook is in the log, and nothing of what clients have sent', async (t) => {
  const token = 'eyJhbGciOiJFUzI1NiJ9.x';
  const port = await startHttpServer(t, (request, response) => {
    const { url } = request;
    if (url === '/moved') response.writeHead(308, { location: '/' });
    response.end(url === '/null' ? 'null' : `${token} is good`);
  });
  const cases = [
    [`http://127.0.0.1:${port}/moved`, /redirect/],
    [`http://127.0.0.1:${await freePort()}/`, /ECONNREFUSED/],
    [`https://127.0.0.1:${port}/`, /SSL|TLS/i],
    [`http://127.0.0.1:${port}/null`, /its answer is no JSON object/],
    [`http://127.0.0.1:${port}/`, /its answer is no JSON object/],
  ] as const;
  for (const [url, reason] of cases) {
    const log = recordedLog();
    const options = { target: httpTarget(url)!, timeoutMs: 60_000, cacheMs: 0 };
    const admission = new WebhookAdmission(options, admissionCounters(), log);
    const headers = new Map([['authorization', [`Bearer ${token}`]]]);
    t.match(await admission.admit({ path: '/ws', query: '', headers }), { outcome: 'unavailable' });
    t.match(log.lines, [reason], url);
    t.notMatch(log.lines.join(), token.slice(0, 10));
    admission.close();
  }
});

t.test('a webhook that cannot be reached: the log says where it should be, and why', async (t) => {
  const target = httpTarget(`http://edge:s3cret@127.0.0.1:${await freePort()}/who?key=s3cret`)!;
  const log = recordedLog();
  const admission = new WebhookAdmission({ target, timeoutMs: 5000, cacheMs: 0 }, admissionCounters(), log);
  t.teardown(() => admission.close());
  await admission.admit({ path: '/ws', query: '', headers: new Map() });
  t.match(log.lines[0], /the auth webhook http:\/\/127.0.0.1:\d+\/who gave no answer: .*ECONNREFUSED/);
  t.notMatch(log.lines[0], /s3cret/);
});
