import type { ServerResponse } from 'node:http';
import t from 'tap';
import { until } from '../../../test/kit/until.js';
import { consulMembership } from '../src/consul/consul.js';
import { maxAnswerBytes } from '../src/consul/consul-reads.js';
import { createRingTracker } from '../src/tracker/ring-tracker.js';
import { entries, startFakeConsul } from './fake-consul.js';
import { recordedLog } from './recorded-log.js';
import { record } from './recorded-watch.js';

/** Writes as fast as it is read, for as long as it is read; returns how much that was. */
function pourInto(response: ServerResponse): { sent: number; ended: boolean } {
  const poured = { sent: 0, ended: false };
  const piece = Buffer.alloc(1_048_576, '[');
  const pour = (): void => {
    if (poured.ended) return;
    poured.sent += piece.length;
    if (response.write(piece)) setImmediate(pour);
    else response.once('drain', pour);
  };
  response.writeHead(200, { 'content-type': 'application/json', 'x-consul-index': '7' });
  response.on('close', () => {
    poured.ended = true;
  });
  pour();
  return poured;
}

t.test('an answer without end is cut off at its bound, and the last good view stays', async (t) => {
  const fake = await startFakeConsul(t, entries('5', 'n1', 'n2'));
  const membership = consulMembership({ port: fake.port, service: 'chat', timeoutMs: 60_000, pauseMs: 1 });
  t.teardown(() => membership.close());
  const watch = record(membership);
  await until('first view', () => watch.ids() === 'n1 n2');
  const pours: ReturnType<typeof pourInto>[] = [];
  fake.answer = (response) => pours.push(pourInto(response));
  await until('trouble', () => watch.troubles.length > 0);
  t.equal(
    watch.troubles[0]?.message,
    `Consul at 127.0.0.1:${fake.port}: reading service chat failed: the answer is longer than ${maxAnswerBytes} bytes`,
  );
  await until('the connection is closed', () => pours[0]?.ended);
  t.ok(pours[0]!.sent < 2 * maxAnswerBytes, `${pours[0]?.sent} bytes were sent`);
  t.equal(watch.ids(), 'n1 n2');
  fake.answer = entries('6', 'n3');
  await until('sense again', () => watch.ids() === 'n3');
});

t.test(
  'an answer of which Consul leaves out what the token may not see is no list of the members',
  async (t) => {
    const fake = await startFakeConsul(t, entries('5', 'n1', 'n2'));
    const membership = consulMembership({ port: fake.port, service: 'chat', pauseMs: 1 });
    t.teardown(() => membership.close());
    const watch = record(membership);
    await until('first view', () => watch.ids() === 'n1 n2');
    fake.answer = (response, request) => {
      response.setHeader('x-consul-results-filtered-by-acls', 'true');
      entries('6', 'n1')(response, request);
    };
    await until('trouble', () => watch.troubles.length > 0);
    t.match(
      watch.troubles[0]?.message,
      /the token may not see; it needs service:read for chat and node:read/,
    );
    t.equal(watch.ids(), 'n1 n2', 'the last good view stays');
    fake.answer = entries('7', 'n1');
    await until('sense again', () => watch.ids() === 'n1');
  },
);

t.test('an id that another process has is a headline of its own, not a failed read', async (t) => {
  const fake = await startFakeConsul(t, entries('5', 'n1'));
  const membership = consulMembership({ port: fake.port, service: 'chat', verifyMs: 100 });
  t.teardown(() => membership.close());
  const log = recordedLog();
  const tracker = createRingTracker({ membership, log });
  t.teardown(() => tracker.close());
  await tracker.start();
  fake.answer = (response, request) => {
    if (request.url?.startsWith('/v1/health/')) return entries('5', 'n1')(response, request);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({ n1: { ID: 'n1', Service: 'chat', Meta: { 'pinwheel-incarnation': 'theirs' } } }),
    );
  };
  await membership.register({
    id: 'n1',
    address: '127.0.0.1',
    port: 7001,
    weight: 1,
    incarnation: 'ours',
    settingsDigest: 'x',
    settingsText: 'x',
  });
  const line = await until('named', () => log.lines.find((text) => text.includes('another process')));
  t.match(
    line,
    /^another process has the id of this node .*id n1 is registered by another process \(incarnation theirs\)/,
  );
  t.equal(tracker.status().sourceErrors, 0);
});
