import t from 'tap';
import { RawClient } from '../packages/edge/test/raw-client.js';
import { connected, Neighbour } from './kit/limited-client.js';
import { type Bounds, startFront } from './kit/limited-front.js';
import { until } from './kit/until.js';

const each = 20;
const saidEachTime = 5;

/** What somebody sends who wants to keep a socket without being anybody; then a byte at a time. */
const beginnings: readonly (readonly [string, string])[] = [
  ['say nothing', ''],
  ['say half a request', 'GET /ws?user=bob HTTP/1.1\r\nhost: x\r\nx-slow: '],
];

/** uWebSockets.js has its own time for it. */
const cases: readonly (readonly ['link' | 'tunnel', Bounds, everyMs: number])[] = [
  ['link', {}, 1000],
  ['tunnel', { headTimeoutMs: 500 }, 50],
];

t.test('clients that never get to the end of a head', { jobs: 2 }, async (t) => {
  for (const [kind, bounds, everyMs] of cases) {
    void t.test(`at ${kind}`, async (t) => {
      const front = await startFront(t, kind, bounds);
      const neighbour = new Neighbour(await connected(t, front.port, 'alice'));
      const slow = beginnings.map(([what, head]) => ({
        what,
        clients: Array.from({ length: each }, () => {
          const client = new RawClient(front.port);
          return head === '' ? client : client.write(head);
        }),
      }));
      const drip = setInterval(() => {
        for (const client of slow[1]!.clients) if (!client.closed) client.write('x');
      }, everyMs);
      t.teardown(() => clearInterval(drip));
      t.ok(await neighbour.says(saidEachTime), 'the neighbour notices nothing');
      for (const { what, clients } of slow) {
        await until(`those that ${what} are gone`, () => clients.every(({ closed }) => closed), {
          deadlineMs: 30_000,
        });
        if (kind === 'tunnel')
          t.ok(
            clients.every(({ status }) => status === 408),
            `those that ${what}: 408`,
          );
      }
      t.equal(await front.reached('head-time'), beginnings.length * each, 'all of them are counted');
      t.ok(await neighbour.says(saidEachTime), 'and nothing still');
    });
  }
});
