import { buildRing } from '@pinwheel/ring';
import fc from 'fast-check';
import t from 'tap';
import { seeded } from '../../../test/kit/seeded.js';
import { viewOf } from '../src/member/digest.js';
import { RingHistory } from '../src/ring/ring-history.js';
import { Settle } from '../src/settle/settle.js';
import { defaultSettleOptions } from '../src/settle/settle-options.js';
import type { ProbeOutcome } from '../src/settle/standing.js';
import { inParallel } from '../src/static/in-parallel.js';
import { backoffMs } from '../src/time/backoff.js';
import { sleep } from '../src/time/sleep.js';
import { TokenBucket } from '../src/time/token-bucket.js';
import { Prober } from '../src/tracker/prober.js';
import { WarnOnce } from '../src/tracker/warn-once.js';
import { recordedLog } from './recorded-log.js';
import { member, members } from './settle-world.js';

t.test('backoff doubles to its bound, with full jitter', async (t) => {
  const bounds = [1, 2, 3, 4, 7, 8, 1_000].map((failures) =>
    backoffMs(failures, { firstMs: 250, longestMs: 15_000 }, () => 1),
  );
  t.same(bounds, [250, 500, 1_000, 2_000, 15_000, 15_000, 15_000]);
  t.equal(
    backoffMs(5, { firstMs: 250, longestMs: 15_000 }, () => 0),
    0,
  );
});

t.test('a token bucket lets a burst through and then one per refill', async (t) => {
  const bucket = new TokenBucket(2, 100, 0);
  t.same([bucket.take(0), bucket.take(0), bucket.take(0), bucket.take(0)], [0, 0, 100, 200]);
  t.equal(bucket.take(1_000), 0);
  t.equal(bucket.take(1_000), 0, 'never more than the burst is saved up');
  t.equal(bucket.take(1_000), 100);
});

t.test('what was warned of is forgotten when there is too much of it', async (t) => {
  const log = recordedLog();
  const warnings = new WarnOnce(log);
  const warn = (i: number): void => warnings.warn({ id: `node-${i}`, reason: 'it is ignored' }, 'a member');
  for (let i = 0; i < 1000; i++) warn(i);
  for (let i = 0; i < 1000; i++) warn(i);
  t.equal(log.lines.length, 1000, 'each once');
  warn(1000);
  warn(0);
  t.same(log.lines.slice(1000), [log.lines[0]!.replace('node-0', 'node-1000'), log.lines[0]]);
});

t.test('sleep ends early without an error', async (t) => {
  const ending = new AbortController();
  const sleeping = sleep(60_000, new AbortController().signal, ending.signal);
  ending.abort();
  await sleeping;
  await sleep(60_000, ending.signal);
  await sleep(1);
  t.pass();
});

t.test('the digest of a view', async (t) => {
  t.test('does not depend on the order of members', async () => {
    const all = members('a', 'b', 'c', 'd', 'e');
    const digest = viewOf(all, '1').digest;
    fc.assert(
      fc.property(fc.shuffledSubarray([...all], { minLength: all.length }), (shuffled) => {
        return viewOf(shuffled, '2').digest === digest;
      }),
    );
  });

  t.test('changes with every field', async (t) => {
    const variants = [
      {},
      { address: '127.0.0.2' },
      { port: 1 },
      { wsPort: 1 },
      { weight: 2 },
      { draining: true },
      { kind: 'foreign' as const },
      { incarnation: 'x' },
      { settingsDigest: 'x' },
      { settingsText: 'x' },
    ];
    t.equal(
      new Set(variants.map((fields) => viewOf([member('a', fields)], '1').digest)).size,
      variants.length,
    );
  });
});

t.test('previous rings', async (t) => {
  const ring = (...ids: readonly string[]) =>
    buildRing(
      ids.map((id) => ({ id })),
      { virtualNodes: 8 },
    );
  const [a, b, c] = [ring('a'), ring('b'), ring('c')];
  const history = new RingHistory(100, 2);
  t.equal(history.expiresAt, undefined);
  history.replaced(ring(), 0);
  t.same(history.previous(a, 0), [], 'a ring that nobody was in owned nothing');
  history.replaced(a, 0);
  history.replaced(b, 10);
  t.same(history.previous(a, 20), [b], 'a ring that is in use again is not a previous one');
  history.replaced(a, 30);
  t.same(history.previous(c, 40), [a, b], 'and is there once, as the newest');
  history.replaced(c, 50);
  t.same(history.previous(b, 60), [c, a]);
  t.equal(history.expiresAt, 130);
  t.same(history.previous(b, 130), [c]);
});

t.test('work in parallel is bounded, and done when it is done', async (t) => {
  let running = 0;
  let most = 0;
  const done: number[] = [];
  await inParallel([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
    most = Math.max(most, ++running);
    await sleep(1);
    running--;
    done.push(item);
  });
  t.equal(most, 3);
  t.same(done.sort(), [1, 2, 3, 4, 5, 6, 7]);
});

t.test('probes are bounded, one that throws proves nothing, none is reported after close', async (t) => {
  const answers: ((outcome: ProbeOutcome) => void)[] = [];
  const reports: string[] = [];
  let asked = 0;
  const prober = new Prober(
    ({ id }) => {
      asked++;
      if (id === 'm0') return Promise.reject(new Error('broken'));
      return new Promise((resolve) => answers.push(resolve));
    },
    ({ member: { id } }, outcome) => reports.push(`${id} ${outcome}`),
  );
  prober.run(Array.from({ length: 50 }, (_, i) => ({ ticket: i, member: member(`m${i}`) })));
  t.equal(asked, 32);
  await sleep(0);
  t.same(reports, ['m0 unasked']);
  t.equal(asked, 33, 'the next one takes its place');
  prober.close();
  for (const answer of answers) answer('alive');
  await sleep(0);
  t.same(reports, ['m0 unasked']);
  t.equal(asked, 33);
});

t.test(
  'of a large ring most are gone: witnesses are asked before those that wait, and few are asked twice',
  async (t) => {
    const ids = Array.from({ length: 1_000 }, (_, i) => `m${i}`);
    const gone = new Set(ids.slice(0, 600));
    const settle = new Settle(defaultSettleOptions, undefined, seeded(7));
    let now = 0;
    let asked = 0;
    // as a driver does it, in time that passes only when nothing else is to be done
    const ends: { readonly at: number; readonly end: () => void }[] = [];
    const prober = new Prober(
      ({ id }) => {
        const isGone = gone.has(id);
        if (isGone) asked++;
        return new Promise((resolve) => {
          const end = (): void => resolve(isGone ? 'unreachable' : 'alive');
          ends.push({ at: now + (isGone ? 1_000 : 5), end });
        });
      },
      (request, outcome) => {
        settle.probed(request, outcome, now);
        prober.run(settle.takeProbes(now));
      },
    );
    settle.view(members(...ids), now);
    settle.view(members(...ids.slice(600)), now);
    prober.run(settle.takeProbes(now));
    t.match(settle.frozen, '600 of 1000 members vanished');
    while (settle.counted.length > 400 && now < 120_000) {
      const nextEnd = Math.min(...ends.map(({ at }) => at));
      now = Math.min(nextEnd, Math.max(now + 1, settle.dueAt ?? nextEnd));
      for (const due of ends.splice(0)) {
        if (due.at <= now) due.end();
        else ends.push(due);
      }
      await sleep(0);
      settle.tick(now);
      prober.run(settle.takeProbes(now));
    }
    t.ok(now < 25_000, `all of them left within ${now} ms`);
    t.ok(asked < 900, `${asked} questions to 600`);
  },
);
