import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Metrics } from '@pinwheel/metrics';
import { describeRingSettings, ringSettings, ringSettingsDigest } from '@pinwheel/ring';
import t, { type Test } from 'tap';
import { until } from '../../../test/kit/until.js';
import { type InProcessMembership, inProcessMembership } from '../src/in-process.js';
import type { Membership, MembershipListener } from '../src/member/contract.js';
import { membershipFrom } from '../src/parse-membership.js';
import { addRingMetrics } from '../src/ring/ring-metrics.js';
import type { RingState, RingTracker } from '../src/ring/ring-state.js';
import type { ProbeOutcome } from '../src/settle/standing.js';
import { type Clock, systemClock } from '../src/time/clock.js';
import { createRingTracker } from '../src/tracker/ring-tracker.js';
import type { RingTrackerOptions } from '../src/tracker/ring-tracker-options.js';
import { recordedLog } from './recorded-log.js';

const quick = {
  joinQuietMs: 20,
  joinLongestMs: 100,
  vanishGraceMs: 300,
  reprobeMs: 20,
  startDeadlineMs: 100,
};

function tracked(t: Test, options: Partial<RingTrackerOptions> & { membership: Membership }): RingTracker {
  const tracker = createRingTracker({ ...quick, probe: async () => 'unreachable', ...options });
  t.teardown(() => tracker.close());
  return tracker;
}

function service(...ids: readonly string[]) {
  const membership = inProcessMembership();
  for (const [i, id] of ids.entries()) membership.set({ id, port: 7001 + i, incarnation: `${id}-1` });
  return membership;
}

/** A source that is away until a test says otherwise. */
function awaySource(): Membership & { listener: MembershipListener | undefined } {
  return {
    description: 'a source that is away',
    listener: undefined,
    watch(listener) {
      this.listener = listener;
      queueMicrotask(() => listener.trouble(new Error('connection refused')));
      return () => {};
    },
    refresh: async () => {},
    register: () => Promise.reject(new Error('away')),
    close: async () => {},
  };
}

const idsOf = (state: RingState) => state.ring.members.map(({ id }) => id).join(' ');

t.test('a process starts', async (t) => {
  await t.test('before the first ring there is an empty one', async (t) => {
    const tracker = tracked(t, { membership: service('a') });
    t.equal(tracker.current.generation, 0);
    t.equal(idsOf(tracker.current), '');
  });

  await t.test('with the members that are there, without settling', async (t) => {
    const membership = service('a', 'b');
    membership.set({ id: 'c', port: 7003, draining: true });
    const tracker = tracked(t, { membership, joinQuietMs: 60_000, joinLongestMs: 60_000 });
    const first = await tracker.start();
    t.equal(idsOf(first), 'a b');
    t.same([...first.members.keys()], ['a', 'b', 'c']);
    t.equal(first.generation, 1);
    t.same(first.previous, []);
    t.equal(await tracker.start(), first);
    t.equal(tracker.current, first);
  });

  await t.test('with nobody there', async (t) => {
    const first = await tracked(t, { membership: service() }).start();
    t.equal(idsOf(first), '');
    t.equal(first.generation, 1);
  });

  await t.test('with bad options', async (t) => {
    const cases = [
      [{ freezeAbove: 2 }, 'freezeAbove is 2; it must be between 0 and 1'],
      [{ joinQuietMs: -1 }, 'joinQuietMs is -1'],
      [{ reprobeMs: 0 }, 'reprobeMs is 0'],
      [{ startDeadlineMs: Number.NaN }, 'startDeadlineMs is NaN'],
      [{ settings: { virtualNodes: 0 } }, 'virtualNodes is 0; it must be between 1 and 4096'],
    ] as const;
    for (const [options, message] of cases) {
      const create = () => createRingTracker({ membership: service(), ...options });
      t.throws(create, { code: 'bad-option', message: new RegExp(message) });
    }
  });

  await t.test('and waits for its source for as long as that takes, when it is told so', async (t) => {
    const waits: number[] = [];
    const clock: Clock = {
      now: () => systemClock.now(),
      after: (delayMs, call) => {
        waits.push(delayMs);
        return systemClock.after(delayMs, call);
      },
    };
    const source = awaySource();
    const tracker = tracked(t, { membership: source, startDeadlineMs: Number.POSITIVE_INFINITY, clock });
    const starting = tracker.start();
    await until('it watches', () => tracker.status().sourceError !== undefined);
    t.equal(tracker.status().sourceError, 'connection refused');
    t.same(waits, [], 'nothing ends the wait');
    source.listener?.view({ members: service('a').members(), digest: 'a', index: '7', ignored: [] });
    t.equal(idsOf(await starting), 'a');
  });

  await t.test('and is closed before its first ring', async (t) => {
    const tracker = tracked(t, { membership: awaySource(), startDeadlineMs: 60_000 });
    const starting = tracker.start();
    await new Promise((resolve) => setImmediate(resolve));
    await tracker.close();
    await tracker.close();
    await t.rejects(starting, { code: 'closed' });
  });
});

t.test('members come and go', async (t) => {
  const membership = service('a', 'b', 'c');
  const found = new Map<string, ProbeOutcome>();
  const log = recordedLog();
  const tracker = tracked(t, {
    membership,
    log,
    transitionWindowMs: 700,
    probe: async ({ id }) => found.get(id) ?? 'alive',
  });
  const first = await tracker.start();
  const changes: [RingState, RingState][] = [];
  tracker.subscribe(() => {
    throw new Error('a subscriber that fails');
  });
  tracker.subscribe((current, before) => changes.push([current, before]));
  const ended: RingState[] = [];
  tracker.subscribe((current) => ended.push(current))();

  await t.test('another address is a new state with the same ring', async (t) => {
    membership.set({ id: 'b', port: 9_999, incarnation: 'b-1' });
    const state = await until('state', () => tracker.current !== first && tracker.current);
    t.equal(state.ring, first.ring);
    t.equal(state.generation, 2);
    t.equal(state.members.get('b')?.port, 9_999);
    t.same(state.previous, []);
  });

  await t.test('a joiner settles, can be reached meanwhile, and then counts', async (t) => {
    membership.set({ id: 'd', port: 7004, incarnation: 'd-1' });
    await until('reachable', () => tracker.current.members.has('d'));
    t.equal(idsOf(tracker.current), 'a b c');
    t.same(tracker.status().pending, ['d']);
    const state = await until('counted', () => idsOf(tracker.current) === 'a b c d' && tracker.current);
    t.equal(state.previous[0], first.ring);
    t.same(tracker.status().pending, []);
  });

  await t.test('one that drains leaves the ring at once and can still be reached', async (t) => {
    membership.set({ id: 'd', port: 7004, incarnation: 'd-1', draining: true });
    await membership.refresh();
    t.equal(idsOf(tracker.current), 'a b c');
    t.equal(tracker.current.members.get('d')?.draining, true);
    t.equal(tracker.current.ring.fingerprint, first.ring.fingerprint);
    t.equal(tracker.current.previous.length, 1, 'the ring that is back is not among the previous ones');
    t.not(tracker.current.previous[0]?.fingerprint, first.ring.fingerprint);
  });

  await t.test('one that dies leaves the ring', async () => {
    found.set('c', 'unreachable');
    membership.remove('c');
    await until('a b', () => idsOf(tracker.current) === 'a b');
  });

  await t.test(
    'one that vanishes and answers stays for a while, and can then be reached until it is silent',
    async (t) => {
      membership.remove('b');
      await membership.refresh();
      t.equal(idsOf(tracker.current), 'a b');
      t.same(tracker.status().pending, ['b']);
      t.ok(tracker.current.members.has('b'));
      await until('a', () => idsOf(tracker.current) === 'a');
      t.equal(tracker.current.members.get('b')?.draining, true);
      t.same(tracker.status().pending, []);
      found.set('b', 'unreachable');
      await until('b is gone', () => !tracker.current.members.has('b'));
    },
  );

  await t.test('the log names who has come, who leaves and who is gone', async (t) => {
    const said = log.lines.flatMap(
      (line) => /^the ring changed .*"generation":\d+,(.*)}$/.exec(line)?.[1] ?? [],
    );
    t.same(said, ['"joined":["d"]', '"leaving":["d"]', '"gone":["c"]', '"leaving":["b"]']);
  });

  await t.test('an empty list freezes the ring; an operator accepts it', async (t) => {
    membership.remove('a');
    membership.remove('d');
    await until('frozen', () => tracker.status().frozen);
    t.equal(idsOf(tracker.current), 'a');
    const state = tracker.accept();
    t.equal(idsOf(state), '');
    t.equal(tracker.current, state);
    t.equal(tracker.status().frozen, undefined);
  });

  await t.test('every subscriber was told of every state in order, whatever another one threw', async (t) => {
    const states = [first, ...changes.map(([current]) => current)];
    for (const [i, [current, before]] of changes.entries()) {
      t.equal(before.generation, states[i]?.generation);
      t.equal(current.generation, before.generation + 1);
    }
    t.same(ended, []);
    t.equal(log.lines.filter((line) => line.includes('a subscriber that fails')).length, changes.length);
    t.equal(changes.at(-1)?.[0].generation, tracker.current.generation);
  });

  await t.test('previous rings leave the window without a new generation', async (t) => {
    const { generation } = tracker.current;
    t.ok(tracker.current.previous.length > 0);
    await until('none left', () => tracker.current.previous.length === 0);
    t.equal(tracker.current.generation, generation);
  });
});

t.test('one that vanishes and answers leaves only when the source was read since', async (t) => {
  const source = awaySource();
  let asked = 0;
  source.refresh = async () => {
    asked++;
    source.listener?.trouble(new Error('connection refused'));
  };
  const tracker = tracked(t, { membership: source, probe: async () => 'alive' });
  const starting = tracker.start();
  await until('it watches', () => source.listener);
  const listed = service('a', 'b');
  const unwatch = listed.watch({ ...source.listener!, fresh: () => {} });
  t.teardown(unwatch);
  await starting;
  listed.remove('b');
  await until('its grace is over, and the source cannot be read', () => asked > 0);
  t.equal(idsOf(tracker.current), 'a b');
  t.same(tracker.status().pending, ['b']);
  source.listener!.fresh();
  t.equal(idsOf(tracker.current), 'a');
  t.ok(tracker.current.members.get('b')?.draining);
  t.equal(asked, 1);
});

t.test('a subscriber that causes the next change', async (t) => {
  const membership = service('a');
  const tracker = tracked(t, { membership, joinQuietMs: 60_000, joinLongestMs: 60_000 });
  await tracker.start();
  const seen: number[] = [];
  tracker.subscribe(() => {
    if (tracker.status().pending.length > 0) tracker.accept();
  });
  tracker.subscribe(({ generation }) => seen.push(generation));
  membership.set({ id: 'b', port: 7002 });
  await until('b', () => idsOf(tracker.current) === 'a b');
  t.same(seen, [2, 3]);
});

t.test('at most so many previous rings are kept', async (t) => {
  const membership = service('a');
  const tracker = tracked(t, { membership, maxPreviousRings: 3 });
  await tracker.start();
  for (const id of ['b', 'c', 'd', 'e', 'f']) {
    membership.set({ id, port: 7002 });
    await membership.refresh();
    tracker.accept();
  }
  t.equal(tracker.current.previous.length, 3);
  t.same(
    tracker.current.previous.map((ring) => ring.members.length),
    [5, 4, 3],
  );
});

t.test('ring settings differ', async (t) => {
  const other = { settingsDigest: 'ffffffffffffffff', settingsText: 'hash=xxhash32 virtualNodes=512' };

  await t.test('from a member that is there: start is refused, naming the setting', async (t) => {
    const membership = service('a');
    membership.set({ id: 'n1', port: 7002, ...other });
    const tracker = tracked(t, { membership, settings: { virtualNodes: 256 } });
    await t.rejects(tracker.start(), {
      code: 'settings-mismatch',
      message:
        'virtualNodes is 256 here and 512 at member n1; all processes of a service must share it: give every process the same ring config (--ring-config)',
    });
    await t.rejects(tracker.start(), { code: 'settings-mismatch' });
  });

  await t.test('in more than one setting, or without words', async (t) => {
    const membership = service();
    membership.set({ id: 'n1', port: 7002, ...other, settingsText: 'hash=md5 virtualNodes=64' });
    await t.rejects(
      tracked(t, { membership }).start(),
      /hash is xxhash32 here and md5 at member n1; virtualNodes is 512/,
    );
    membership.set({ id: 'n1', port: 7002, settingsDigest: 'ffffffffffffffff' });
    await t.rejects(
      tracked(t, { membership }).start(),
      /the digest of the ring settings is \w{16} here and f{16} at/,
    );
  });

  await t.test('from one that drains: it is in nobody’s next ring', async (t) => {
    const membership = service('a');
    membership.set({ id: 'n1', port: 7002, draining: true, ...other });
    t.equal(idsOf(await tracked(t, { membership }).start()), 'a');
  });

  await t.test('from one that comes later: it is ignored and named once', async (t) => {
    const membership = service('a');
    const log = recordedLog();
    const tracker = tracked(t, { membership, log, settings: { virtualNodes: 256 } });
    await tracker.start();
    membership.set({ id: 'n1', port: 7002, ...other });
    const { ignored } = await until('ignored', () => tracker.status().ignored.length > 0 && tracker.status());
    t.match(ignored, [{ id: 'n1', reason: 'virtualNodes is 256 here and 512 at member n1' }]);
    membership.set({ id: 'b', port: 7003 });
    await until('b', () => idsOf(tracker.current) === 'a b');
    t.notOk(tracker.current.members.has('n1'));
    t.equal(log.lines.filter((line) => line.includes('other ring settings')).length, 1);
  });
});

t.test('the source is away', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'pinwheel-ring-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const lastGoodPath = join(folder, 'deep', 'ring.json');
  const describedAs = (membership: Membership, description: string): Membership =>
    Object.assign(membership, { description });
  const away = 'a source that is away';

  await t.test('none is kept on disk: start is refused after its deadline', async (t) => {
    await t.rejects(tracked(t, { membership: awaySource() }).start(), {
      code: 'membership',
      message: `${away} was not heard within 100 ms: connection refused`,
    });
  });

  await t.test('nothing on disk: start is refused, and says so', async (t) => {
    const tracker = tracked(t, { membership: awaySource(), lastGoodPath });
    await t.rejects(tracker.start(), {
      code: 'membership',
      message: `${away} was not heard within 100 ms: connection refused; no last good ring is on disk`,
    });
  });

  await t.test('a file that is not there is named once', async (t) => {
    const path = join(folder, 'none.json');
    await t.rejects(tracked(t, { membership: membershipFrom(`static:${path}`), lastGoodPath }).start(), {
      code: 'membership',
      message: `cannot read ${path}: no such file (tried for 100 ms); no last good ring is on disk`,
    });
  });

  await t.test('the last good ring is on disk: it is used, and said to be', async (t) => {
    const before = tracked(t, { membership: describedAs(service('a', 'b', 'c'), away), lastGoodPath });
    const { ring } = await before.start();
    await before.close();
    const source = awaySource();
    const tracker = tracked(t, { membership: source, lastGoodPath });
    const started = await tracker.start();
    t.equal(started.ring.fingerprint, ring.fingerprint);
    t.equal(started.members.get('b')?.incarnation, 'b-1');
    t.match(tracker.status().frozen, /not heard yet; the ring was saved at \d{4}-/);
    t.ok(tracker.status().staleMs >= 0);
    t.equal(tracker.status().sourceErrors, 1);

    const view = (ids: readonly string[]) => {
      const heard = service(...ids);
      source.listener?.view({ members: heard.members(), digest: ids.join(), index: '7', ignored: [] });
    };
    view(['a', 'b']);
    t.equal(tracker.status().frozen, undefined);
    await until('c is gone', () => idsOf(tracker.current) === 'a b');
    t.equal(tracker.current.index, '7');
    await tracker.close();
    t.match(JSON.parse(await readFile(lastGoodPath, 'utf8')), {
      version: 1,
      members: [{ id: 'a' }, { id: 'b' }],
    });
    t.same(await readdir(join(folder, 'deep')), ['ring.json'], 'nothing is left beside it');
  });

  await t.test(
    'the ring on disk is one of other settings: start is refused as beside such members',
    async (t) => {
      const path = join(folder, 'settings.json');
      const member = { id: 'n1', port: 7002, incarnation: 'n1-1' };
      const saved = {
        settingsDigest: ringSettingsDigest(ringSettings()),
        settingsText: describeRingSettings(ringSettings()),
      };
      const membership = describedAs(service(), away) as InProcessMembership;
      membership.set({ ...member, ...saved });
      const before = tracked(t, { membership, lastGoodPath: path });
      await before.start();
      await before.close();
      const settings = { virtualNodes: 256 };
      const starting = tracked(t, { membership: awaySource(), lastGoodPath: path, settings }).start();
      await t.rejects(starting, {
        code: 'settings-mismatch',
        message:
          /^virtualNodes is 256 here and 512 at member n1; .* \(so says the ring on disk, saved at \d{4}-/,
      });

      await t.test(
        'the source says so later: the members are ignored and named, nobody is left',
        async (t) => {
          const source = awaySource();
          const log = recordedLog();
          const tracker = tracked(t, { membership: source, lastGoodPath: path, log });
          t.equal(idsOf(await tracker.start()), 'n1');
          const others = inProcessMembership();
          others.set({
            ...member,
            incarnation: 'n1-2',
            settingsDigest: 'f'.repeat(16),
            settingsText: 'virtualNodes=64',
          });
          source.listener?.view({ members: others.members(), digest: 'd', index: '7', ignored: [] });
          t.equal(idsOf(tracker.current), '');
          t.match(tracker.status().ignored, [
            { id: 'n1', reason: /virtualNodes is 512 here and 64 at member n1/ },
          ]);
          t.match(
            log.lines.find((line) => line.includes('other ring settings')),
            /n1/,
          );
        },
      );
    },
  );

  await t.test('the first list is empty while a ring is on disk: that ring is kept, frozen', async (t) => {
    const tracker = tracked(t, {
      membership: describedAs(service(), away),
      lastGoodPath,
      probe: async () => 'alive',
    });
    t.equal(idsOf(await tracker.start()), 'a b');
    t.match(tracker.status().frozen, 'the source lists nobody');
  });

  await t.test(
    'the first list lacks most of the ring on disk: the ring is that one, and frozen',
    async (t) => {
      const probe = async (): Promise<'alive'> => 'alive';
      const tracker = tracked(t, { membership: describedAs(service('z'), away), lastGoodPath, probe });
      t.equal(idsOf(await tracker.start()), 'a b');
      t.match(tracker.status().frozen, '2 of 2 members vanished from the source');
      await tracker.close();
    },
  );

  await t.test('the first list has most of the ring on disk: that is not looked at', async (t) => {
    const tracker = tracked(t, { membership: describedAs(service('a', 'b', 'z'), away), lastGoodPath });
    t.equal(idsOf(await tracker.start()), 'a b z');
    await tracker.close();
  });

  await t.test('a ring without anybody is not kept', async (t) => {
    const membership = describedAs(service('a', 'b'), away) as InProcessMembership;
    const tracker = tracked(t, { membership, lastGoodPath });
    await tracker.start();
    membership.remove('a');
    membership.remove('b');
    await until('frozen', () => tracker.status().frozen);
    t.equal(idsOf(tracker.accept()), '');
    await tracker.close();
    const kept = JSON.parse(await readFile(lastGoodPath, 'utf8')) as { members: readonly { id: string }[] };
    t.same(
      kept.members.map(({ id }) => id),
      ['a', 'b'],
    );
  });

  const noRing = `${away} was not heard within 100 ms: connection refused; the last good ring in ${lastGoodPath}`;
  const [one] = service('a').members();
  const twice = { version: 1, source: away, savedAt: new Date(), index: '1', members: [one, one] };
  const unusable: readonly [string, string, string?][] = [
    ['half a file', '{"version":1,"sou'],
    ['an empty file', ''],
    ['another version', '{"version":2}'],
    [
      'another source',
      '{"version":1,"source":"x","savedAt":"2026-01-01T00:00:00.000Z","index":"1","members":[]}',
      `${noRing} is of another source: x`,
    ],
    [
      'a silly member',
      `{"version":1,"source":"${away}","savedAt":"2026-01-01T00:00:00.000Z","index":"1","members":[{"id":""}]}`,
      `${noRing} is not usable: members[0].id: id is ""; it must match [A-Za-z0-9._:-]{1,64}`,
    ],
    ['an id twice', JSON.stringify(twice), `${noRing} is not usable: it has an id twice`],
  ];
  for (const [name, content, message] of unusable) {
    await t.test(`${name} on disk is as good as none, and named`, async (t) => {
      await writeFile(lastGoodPath, content);
      const log = recordedLog();
      await t.rejects(tracked(t, { membership: awaySource(), lastGoodPath, log }).start(), {
        code: 'membership',
        message: message ?? `${noRing} is not usable: `,
      });
      t.ok(log.lines.some((line) => line.includes('not usable') && line.includes(lastGoodPath)));
    });
  }

  await t.test('a file that cannot be written is named and disturbs nothing', async (t) => {
    const log = recordedLog();
    const tracker = tracked(t, {
      membership: service('a'),
      lastGoodPath: join(lastGoodPath, 'below-a-file'),
      log,
    });
    t.equal(idsOf(await tracker.start()), 'a');
    await tracker.close();
    t.ok(log.lines.some((line) => line.includes('cannot keep the last good ring')));
  });
});

t.test('a member that no ring can have is left out and named, the others follow', async (t) => {
  const membership = service('a');
  const tracker = tracked(t, { membership });
  await tracker.start();
  membership.set({ id: 'heavy', port: 7002, weight: 1_000 });
  membership.set({ id: 'b', port: 7003 });
  await until('b', () => idsOf(tracker.current) === 'a b');
  t.same(tracker.status().ignored, [
    { id: 'heavy', reason: 'weight is 1000; it must be between 0.01 and 100' },
  ]);
  t.equal(tracker.status().frozen, undefined);
  membership.set({ id: 'heavy', port: 7002, weight: 2 });
  await until('all', () => idsOf(tracker.current) === 'a b heavy');
  t.same(tracker.status().ignored, []);
});

t.test('metrics are read from the tracker', async (t) => {
  const membership = service('a', 'b');
  const tracker = tracked(t, { membership });
  const metrics = new Metrics();
  t.teardown(() => metrics.close());
  addRingMetrics(metrics, tracker);
  await tracker.start();
  const text = await metrics.text();
  const { fingerprint } = tracker.current.ring;
  for (const line of [
    'pinwheel_ring_members 2',
    'pinwheel_ring_points 1024',
    'pinwheel_ring_generation 1',
    'pinwheel_ring_frozen 0',
    'pinwheel_ring_pending_members 0',
    'pinwheel_membership_ignored_members 0',
    'pinwheel_membership_errors_total 0',
    `pinwheel_ring_info{fingerprint="${fingerprint}"} 1`,
  ]) {
    t.ok(text.split('\n').includes(line), line);
  }
  t.match(text, /^pinwheel_ring_fingerprint_age_seconds 0(\.\d+)?/m);
  t.match(text, /^pinwheel_membership_stale_seconds 0(\.\d+)?/m);
  membership.set({ id: 'c', port: 7003 });
  await until('c', () => tracker.current.ring.members.length === 3);
  const later = await metrics.text();
  t.notMatch(later, fingerprint);
  t.match(later, 'pinwheel_ring_members 3');
});
