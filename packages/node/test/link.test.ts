import { once } from 'node:events';
import { createConnection } from 'node:net';
import { EdgeFrameWriter } from '@pinwheel/protocol';
import { buildRing } from '@pinwheel/ring';
import t from 'tap';
import { until } from '../../../test/kit/until.js';
import { connectEdge } from './kit/fake-edge.js';
import { nodeElsewhere } from './kit/node-elsewhere.js';
import { startNodes } from './kit/nodes.js';
import { metric, post, postLines, request } from './kit/requests.js';
import { joinSilent } from './kit/silent-node.js';

function frames(write: (out: EdgeFrameWriter) => void): Buffer {
  const out = new EdgeFrameWriter();
  write(out);
  return Buffer.from(out.take());
}

t.test('the link', async (t) => {
  const nodes = await startNodes(t, ['n1', 'n2']);
  nodes.haveLinks = true;
  const node = nodes.of('n1');
  const [user = '', another = ''] = nodes.usersOf('n1', 2);
  const request = { session: 1, acknowledges: true, resumes: false, epoch: 1, fingerprint: '', handoff: '' };
  const attach = { ...request, key: 'a-key-of-a-session', user, positions: [] };
  const hello = frames((out) => out.hello(1, 'e1', 'i'));

  t.test('an upgrade that is refused ends its connection: where it ends may be in doubt', async (t) => {
    const head = 'GET /v1/link HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n';
    const versioned = `${head}sec-websocket-version: 8\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`;
    const socket = createConnection({ host: '127.0.0.1', port: node.port });
    let answer = '';
    socket.on('data', (bytes) => {
      answer += bytes;
    });
    socket.write(versioned);
    await once(socket, 'end');
    t.match(answer, /^HTTP\/1.1 426 .*must be 13/s);
  });

  t.test('both ends say hello', async (t) => {
    const edge = await connectEdge(t, node);
    await until('the node has', () => edge.hello);
    t.match(edge.hello, { version: 1, node: 'n1', incarnation: /^[0-9a-f]{16}$/ });
    t.equal(await metric(node, 'pinwheel_node_links'), 1);
    edge.write((out) => out.ping(77));
    await until('the answer to a ping', () => edge.pongs.includes(77));
    edge.cut();
    await until('it is gone', async () => (await metric(node, 'pinwheel_node_links')) === 0);
  });

  t.test('what breaks the protocol closes the link with 1002 and what is wrong', async (t) => {
    const lost = await metric(node, 'pinwheel_node_links_lost_total');
    const before = await metric(node, 'pinwheel_node_link_protocol_errors_total');
    const cases: readonly (readonly [Uint8Array, RegExp])[] = [
      [frames((out) => out.hello(2, 'e1', 'i')), /version is 2; it must be 1/],
      [frames((out) => out.attach(attach)), /the first frame must be HELLO/],
      [frames((out) => out.ack(1, 1)), /the first frame must be HELLO/],
      [frames((out) => out.detach(1, 0)), /the first frame must be HELLO/],
      [frames((out) => out.ping(1)), /the first frame must be HELLO/],
      [frames((out) => out.pong(1)), /the first frame must be HELLO/],
      [Buffer.concat([hello, hello]), /HELLO has come already/],
      [Buffer.alloc(0), /no frame/],
      [Buffer.from([99, 0, 0, 0, 0]), /unknown/],
      [Buffer.from('text of some kind'), /./],
      [hello.subarray(0, hello.length - 1), /ends 1 bytes after the link message/],
      [
        Buffer.concat([hello, frames((out) => out.attach(attach)), frames((out) => out.attach(attach))]),
        /session 1 is attached already/,
      ],
      [Buffer.concat([hello, Buffer.from([5, 5, 0, 0, 0, 1, 0, 0, 0, 0])]), /./],
    ];
    for (const [bytes, reason] of cases) {
      const edge = await connectEdge(t, node, { saysHello: false });
      edge.raw(bytes);
      await until('the link has ended', () => edge.end);
      t.match(edge.end, { code: 1002, reason });
    }
    t.equal(await metric(node, 'pinwheel_node_link_protocol_errors_total'), before + cases.length);
    t.equal(await metric(node, 'pinwheel_node_links_lost_total'), lost + cases.length);
  });

  t.test('an unknown session number is no error: what is said of it is counted', async (t) => {
    const edge = await connectEdge(t, node);
    const before = await metric(node, 'pinwheel_node_stale_frames_total');
    edge.write((out) => {
      out.ack(9, 1);
      out.pause(9);
      out.continue(9);
      out.detach(9, 1);
      out.closed(9, 1000, '');
    });
    await until(
      'it is counted',
      async () => (await metric(node, 'pinwheel_node_stale_frames_total')) === before + 5,
    );
    t.equal(edge.end, undefined);
  });

  t.test('a session is attached and gets its user’s messages, numbered', async (t) => {
    const edge = await connectEdge(t, node);
    const [session, plain] = [
      await edge.attached(another),
      await edge.attached(another, { acknowledges: false }),
    ];
    t.match(session.attached, [{ seq: 0, recovered: true, taken: 0, resumeWindowMs: 60_000, stream: /./ }]);
    t.equal(plain.attached[0]?.stream, session.attached[0]?.stream);
    const receipts = await postLines(node, [
      { user: another, data: 'one', id: 'id-1' },
      { user: another, base64: 'AP8=', id: 'id-2' },
    ]);
    t.match(receipts, [
      { status: 'delivered', sessions: 2 },
      { status: 'delivered', sessions: 2 },
    ]);
    await until('both', () => session.messages.length === 2 && plain.messages.length === 2);
    t.match(session.messages, [
      { seq: 1, id: 'id-1', binary: false, data: 'one' },
      { seq: 2, id: 'id-2', binary: true },
    ]);
    t.match(
      plain.messages,
      [
        { seq: 1, id: '' },
        { seq: 2, id: '' },
      ],
      'a plain client has no use for ids',
    );
    const late = await edge.attached(another);
    t.match(late.attached, [{ seq: 2 }], 'who comes later begins at the end');
  });

  t.test('an edge that is wrong about the owner is told who it is, and its link stays', async (t) => {
    const edge = await connectEdge(t, node);
    const [theirs = ''] = nodes.usersOf('n2', 1);
    const session = edge.attach(theirs);
    await until('it is told', () => session.repins.length === 1);
    t.same(session.repins, [{ to: 'n2', handoff: '' }]);
    session.close();
    t.match(await post(node, theirs, 'x'), { status: 404 });
    t.equal(edge.end, undefined);
  });
});

t.test('what is kept for sessions', async (t) => {
  const nodes = await startNodes(t, ['n1'], { maxInboxMessages: 4 });
  nodes.haveLinks = true;
  const node = nodes.of('n1');
  const edge = await connectEdge(t, node);
  const send = (user: string, ...texts: string[]) =>
    postLines(
      node,
      texts.map((data) => ({ user, data })),
    );

  t.test('an acknowledged message is kept for nobody', async (t) => {
    const ann = await edge.attached('ann');
    await send('ann', '1', '2', '3');
    t.ok((await metric(node, 'pinwheel_node_inbox_bytes')) > 0);
    await until('she has them', () => ann.messages.length === 3);
    const known = await edge.attached('ann', { positions: [ann.position(1)] });
    t.match(known.attached, [{ seq: 1, recovered: true }]);
    await until('what it missed', () => known.messages.length === 2);
    known.close();
    ann.acknowledge(2);
    await post(node, 'ann', 'behind it');
    const behind = await edge.attached('ann', { positions: [ann.position(1)] });
    t.match(behind.attached, [{ seq: 2, recovered: false }], 'the second is gone');
    t.same((await until('the rest', () => behind.messages.length === 2 && behind)).seqs, [3, 4]);
  });

  t.test('while a client does not read, its messages wait', async (t) => {
    const ben = await edge.attached('ben');
    ben.pause();
    await until('the node has heard', async () => (await send('ben', '1'))[0]?.['status'] === 'queued');
    const kept = await send('ben', '2');
    t.match(kept, [{ status: 'queued' }]);
    ben.continue();
    await until('they come', () => ben.texts.at(-1) === '2');
    t.match(await send('ben', '3'), [{ status: 'delivered', sessions: 1 }]);
    await until('in order', () => ben.texts.at(-1) === '3');
    t.same(
      ben.seqs,
      [...ben.seqs].sort((a, b) => a - b),
    );
    t.equal(new Set(ben.seqs).size, ben.seqs.length, 'each once');
  });

  t.test('a session that goes away and comes back has missed nothing', async (t) => {
    const cat = await edge.attached('cat');
    await send('cat', '1');
    await until('it comes', () => cat.messages.length === 1);
    cat.detach();
    await until('she is away', async () => (await send('cat', '2'))[0]?.['status'] === 'queued');
    const { json } = await request(node, 'GET', '/v1/users/cat');
    t.match(json, { online: false, sessions: [{ session: cat.key, edge: 'e1', away: true }] });
    const stays = await connectEdge(t, node, { id: 'e2' });
    const back = await stays.attached('cat', { key: cat.key, epoch: 2, positions: [cat.position()] });
    t.match(back.attached, [{ seq: 1, recovered: true, stream: cat.position().stream }]);
    await until('what she missed', () => back.texts.at(-1) === '2');
    const now = (await request(node, 'GET', '/v1/users/cat')).json;
    t.match(now, { online: true, sessions: [{ session: cat.key, edge: 'e2' }] });
    t.notOk('away' in (now['sessions'] as object[])[0]!);
    stays.cut();
    await until(
      'with its link every session is away',
      async () => (await send('cat', '3'))[0]?.['status'] === 'queued',
    );
  });

  t.test(
    'beyond the bound the oldest goes when somebody reads along, and who was behind is told',
    async (t) => {
      const [dan, reader] = [await edge.attached('dan'), await edge.attached('dan')];
      dan.detach(0);
      await until('he is away', async () => (await send('dan', '1'))[0]?.['sessions'] === 1);
      const sent = await send('dan', '2', '3', '4', '5', '6', '7');
      t.ok(sent.every(({ status, sessions }) => status === 'delivered' && sessions === 1));
      await until('the reader has them', () => reader.texts.at(-1) === '7');
      const { seq: last } = reader.position();
      const back = await edge.attached('dan', { key: dan.key, epoch: 2, positions: [dan.position(0)] });
      t.match(back.attached, [{ seq: last - 4, recovered: false }]);
      await until('the last four', () => back.messages.length === 4);
      t.same(back.texts, ['4', '5', '6', '7']);
    },
  );

  t.test('beyond the bound the new one is refused when nobody reads along', async (t) => {
    const eve = await edge.attached('eve');
    eve.detach(0);
    await until('she is away', async () => (await send('eve', 'x'))[0]?.['status'] === 'queued');
    const receipts = await send('eve', 'x', 'x', 'x', 'x');
    t.match(receipts.at(-1), {
      status: 'overloaded',
      error: { code: 'overloaded', message: /inbox is at its bound/ },
    });
    const before = receipts.filter(({ status }) => status === 'queued').length;
    const back = await edge.attached('eve', { key: eve.key, epoch: 2, positions: [eve.position(0)] });
    t.match(back.attached, [{ recovered: true }]);
    await until('what was taken', () => back.messages.length >= before + 1);
  });

  t.test('the newest connection of a session counts', async (t) => {
    const fay = await edge.attached('fay');
    const newer = await edge.attached('fay', { key: fay.key, epoch: 5, positions: [fay.position()] });
    await until('the older one is told', () => fay.closes.length === 1);
    t.match(fay.closes, [{ code: 4505 }]);
    const older = edge.attach('fay', { key: fay.key, epoch: 4 });
    await until('one that comes late is told', () => older.closes.length === 1);
    t.match(older.closes, [{ code: 4505 }]);
    t.match(await send('fay', 'x'), [{ status: 'delivered', sessions: 1 }]);
    await until('it comes', () => newer.messages.length === 1);
    t.equal(fay.messages.length + older.messages.length, 0);
    t.equal(await metric(node, 'pinwheel_node_attaches_total{outcome="superseded"}'), 1);
  });

  t.test('a broadcast reaches sessions on links and is kept for those that are away', async (t) => {
    const [gus, hal] = [await edge.attached('gus'), await edge.attached('hal')];
    hal.detach(0);
    await until(
      'he is away',
      async () => (await request(node, 'GET', '/v1/users/hal')).json['online'] === false,
    );
    const answer = await request(node, 'POST', '/v1/broadcast', 'to all', { 'content-type': 'text/plain' });
    t.match(answer, { status: 200, json: { nodes: 1 } });
    t.ok(Number(answer.json['delivered']) >= 1);
    await until('it comes', () => gus.texts.join() === 'to all');
    const back = await edge.attached('hal', { key: hal.key, epoch: 2, positions: [hal.position(0)] });
    await until('it comes', () => back.texts.join() === 'to all');
  });

  t.test('an operator closes a session, and its client is told', async (t) => {
    const ida = await edge.attached('ida');
    const away = await edge.attached('ida');
    away.detach(0);
    const path = '/v1/users/ida/sessions?code=4001&reason=go';
    await until('one is away', async () =>
      (await request(node, 'GET', '/v1/users/ida')).text.includes('away'),
    );
    t.match((await request(node, 'DELETE', path)).json, { closed: 2 });
    await until('it is told', () => ida.closes.length === 1);
    t.same(ida.closes, [{ code: 4001, reason: 'go' }]);
    t.match((await request(node, 'GET', '/v1/users/ida')).json, { online: false, sessions: [] });
    const back = edge.attach('ida', { key: away.key, epoch: 2, positions: [away.position(0)] });
    await until('the other one is told when it comes', () => back.closes.length === 1);
    t.same(back.closes, [{ code: 4001, reason: 'go' }]);
    t.equal(await metric(node, 'pinwheel_node_attaches_total{outcome="dismissed"}'), 1);
    t.match((await request(node, 'GET', '/v1/users/ida')).json, { online: false, sessions: [] });
    const again = await edge.attached('ida', { key: away.key, epoch: 3, positions: [away.position(0)] });
    t.match(again.attached, [{ recovered: false }], 'once, and then it begins anew');
  });
});

t.test('a session that is away for longer than the resume window is over', async (t) => {
  const ended: string[] = [];
  const nodes = await startNodes(t, ['n1'], {
    resumeWindowMs: 50,
    onDisconnect: ({ user, code }) => {
      ended.push(`${user} ${code}`);
    },
  });
  nodes.haveLinks = true;
  const node = nodes.of('n1');
  const edge = await connectEdge(t, node);
  const ann = await edge.attached('ann');
  ann.detach(0);
  await until('it is over', () => ended.length === 1);
  t.same(ended, ['ann 1006']);
  t.equal((await post(node, 'ann', 'x')).status, 404, 'offline');
  t.equal(await metric(node, 'pinwheel_node_inbox_bytes'), 0);
});

t.test('an edge that is silent is asked, and given up', async (t) => {
  const nodes = await startNodes(t, ['n1'], { keepAliveMs: 900 });
  nodes.haveLinks = true;
  const node = nodes.of('n1');
  const [alive, dead] = [await connectEdge(t, node), await connectEdge(t, node, { answersPings: false })];
  const session = await dead.attached('ann');
  await until('the silent one is given up', () => dead.end);
  t.match(dead.end, { code: 1001, reason: 'no answer' });
  t.ok(dead.pings > 0);
  t.match(await post(node, 'ann', 'x'), { status: 202, json: { status: 'queued' } }, 'its sessions are away');
  t.equal(session.messages.length, 0);
  t.ok(alive.pings > 0);
  t.equal(alive.end, undefined, 'who answers stays');
});

t.test('a node that was replaced ends its links and takes no others', async (t) => {
  const nodes = await startNodes(t, ['n1', 'n2']);
  nodes.haveLinks = true;
  const n1 = nodes.of('n1');
  const edge = await connectEdge(t, n1);
  const [user = ''] = nodes.usersOf('n1', 1);
  const session = await edge.attached(user);
  const port = await nodeElsewhere(t);
  nodes.membership.set({ id: 'n1', port, wsPort: 9, incarnation: 'another' });
  await until('it knows', async () => (await request(n1, 'GET', '/readyz')).json['status'] === 'replaced');
  await t.rejects(connectEdge(t, n1), /503/);
  await until('the link has ended', () => edge.end);
  t.match(edge.end, { code: 1012, reason: /taken the place/ });
  t.equal(session.closes.length + session.repins.length, 0, 'the edge finds another place for its session');
});

t.test('a broadcast does not write to a user whose stream the next node has been told of', async (t) => {
  const nodes = await startNodes(t, ['n1'], { deadlineMs: 1000 });
  nodes.haveLinks = true;
  const node = nodes.of('n1');
  const edge = await connectEdge(t, node);
  const ring = buildRing([{ id: 'n1' }, { id: 'silent' }]);
  const names = Array.from({ length: 100 }, (_, i) => `user-${i}`);
  const user = names.find((name) => ring.owner(name) === 'silent')!;
  const session = await edge.attached(user);
  await joinSilent(t, nodes, 'silent');
  const started = 'pinwheel_node_handoffs_total{outcome="started"}';
  await until('the user is on its way', async () => (await metric(node, started)) === 1);
  t.match(node.migration, { waiting: 1, moved: 0 });
  const failed = () => metric(node, 'pinwheel_node_handoffs_total{outcome="failed"}');
  t.equal(await failed(), 0);
  const headers = { 'content-type': 'text/plain', 'pinwheel-no-forward': '1' };
  t.equal((await request(node, 'POST', '/v1/broadcast', 'to all', headers)).status, 200);
  t.equal(await failed(), 1, 'the user stays');
  await until('it comes', () => session.texts.join() === 'to all');
});
