import { silentLog } from '@pinwheel/membership';
import { httpTarget } from '@pinwheel/server';
import t from 'tap';
import { startHttpServer } from '../../../test/kit/http-server.js';
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
