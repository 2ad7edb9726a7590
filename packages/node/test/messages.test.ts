import { connect as connectTo } from 'node:net';
import t from 'tap';
import { until } from '../../../test/kit/until.js';
import { connect } from './kit/client.js';
import { startNodes } from './kit/nodes.js';
import { metric, post, postBatch, postLines, rawRequest, request } from './kit/requests.js';

t.test('a node with users', async (t) => {
  const nodes = await startNodes(t, ['n1']);
  const node = nodes.of('n1');

  t.test(
    'a user with three sessions gets a message on each of them, in the kind of frame asked for',
    async (t) => {
      const clients = await Promise.all([1, 2, 3].map(() => connect(t, node, 'ann')));
      const text = await post(node, 'ann', 'grüße');
      t.equal(text.status, 200);
      t.same(text.json, { user: 'ann', status: 'delivered', sessions: 3 });
      await request(node, 'POST', '/v1/users/ann/messages', Buffer.from([0, 255]));
      await request(node, 'POST', '/v1/users/ann/messages', '{"a":1}', {
        'content-type': 'Application/JSON; x=1',
      });
      await request(node, 'POST', '/v1/users/ann/messages', '', { 'content-type': 'text/plain' });
      for (const client of clients) {
        await until('four frames', () => client.frames.length === 4);
        t.same(client.frames, [
          { data: Buffer.from('grüße'), binary: false },
          { data: Buffer.from([0, 255]), binary: true },
          { data: Buffer.from('{"a":1}'), binary: false },
          { data: Buffer.from(''), binary: false },
        ]);
      }
      for (const client of clients) client.close();
      await until('the sessions have ended', () => node.sessions === 0);
      t.equal((await post(node, 'ann', 'x')).status, 404, 'offline');
    },
  );

  t.test('user ids are opaque: every odd one has its own messages', async (t) => {
    const odd = [
      '__proto__',
      'constructor',
      'a/b',
      'ü',
      '😀',
      '%',
      'a b',
      '+',
      '.',
      '..',
      '\n',
      'x'.repeat(256),
    ];
    const clients = await Promise.all(odd.map((user) => connect(t, node, user)));
    const receipts = await postLines(
      node,
      odd.map((user) => ({ user, data: `for ${user}` })),
    );
    t.same(
      receipts.map(({ user, status, sessions }) => ({ user, status, sessions })),
      odd.map((user) => ({ user, status: 'delivered', sessions: 1 })),
    );
    for (const client of clients) {
      await until('its message', () => client.frames.length > 0);
      t.same(client.texts, [`for ${client.user}`]);
    }
    for (const user of odd.filter((name) => name !== '.' && name !== '..')) {
      t.same((await post(node, user, 'again')).json['status'], 'delivered', JSON.stringify(user));
    }
  });

  t.test('users that cannot be are refused in each form', async (t) => {
    for (const path of ['%ff', '%C0%80', '%ED%A0%80', '%', '%zz', `${'x'.repeat(257)}`, '%E2%82']) {
      const { status, json } = await request(node, 'POST', `/v1/users/${path}/messages`, 'x');
      t.equal(status, 400, path);
      t.match(json, { error: { code: 'bad-user', message: /^user / } });
    }
    const raw = await rawRequest(
      node.port,
      Buffer.from('POST /v1/users/\xff/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\nx', 'latin1'),
    );
    t.match(raw, /^HTTP\/1.1 400 /, 'bytes that are not ASCII');
    const empty = await request(node, 'POST', '/v1/users//messages', 'x');
    t.ok([400, 404].includes(empty.status), `an empty one: ${empty.status}`);
  });

  t.test(
    'broken lines in the middle of a batch get errors in their places, the others receipts',
    async (t) => {
      const client = await connect(t, node, 'bob');
      const lines = [
        { user: 'bob', data: 'one' },
        '{"user":"bob","data":',
        { user: '', data: 'x' },
        { user: 'bob', base64: 'AAH/' },
        { user: 'bob', data: 'x', base64: 'AA==' },
        { user: 'bob', data: 'x', nonsense: 1 },
        { user: 'bob', data: 'x', wait: 'server' },
        { user: 'nobody', data: 'x' },
        'null',
        { user: 'bob', data: 'two', id: 'my-id' },
      ];
      const receipts = await postLines(node, lines);
      t.same(
        receipts.map((receipt) => receipt['status'] ?? (receipt['error'] as { code: string }).code),
        [
          ...[
            'delivered',
            'bad-request',
            'bad-user',
            'delivered',
            'bad-request',
            'bad-request',
            'bad-request',
          ],
          ...['offline', 'bad-request', 'delivered'],
        ],
      );
      await until('three frames', () => client.frames.length === 3);
      t.same(client.frames[1], { data: Buffer.from([0, 1, 255]), binary: true });
      const body = Buffer.concat([
        Buffer.from('{"user":"bob","data":"three"}\n{"user":"b'),
        Buffer.from([0xff]),
        Buffer.from('","data":"x"}\n\n{"user":"bob","data":"four"}'),
      ]);
      const { text } = await request(node, 'POST', '/v1/messages', body);
      t.match(text.split('\n')[1], /not valid UTF-8/, 'a line that is not UTF-8');
      await until('the good lines', () => client.texts.at(-1) === 'four');
      t.equal((await request(node, 'POST', '/v1/messages', '')).text, '', 'an empty batch');
    },
  );

  t.test(
    'a binary batch is answered in binary, and another node hears what this one knows of itself',
    async (t) => {
      const client = await connect(t, node, 'cat');
      const message = {
        user: 'cat',
        data: 'é',
        binary: false,
        id: 'i',
        waitForClient: false,
        repeated: false,
      };
      t.same(await postBatch(node, [message, { ...message, user: 'nobody' }, message]), [
        { user: 'cat', status: 'delivered', sessions: 1 },
        { user: 'nobody', status: 'offline' },
        { user: 'cat', status: 'delivered', sessions: 1 },
      ]);
      await until('two frames', () => client.frames.length === 2);
      const type = { 'content-type': 'application/vnd.pinwheel.batch' };
      const passedOn = { ...type, 'pinwheel-hops': '1' };
      const answer = await request(node, 'POST', '/v1/messages', 'PWB1', passedOn);
      t.equal(answer.headers.get('pinwheel-foreign-users'), '0');
      t.equal(answer.headers.get('pinwheel-fingerprint'), node.tracker.current.ring.fingerprint);
      const toSender = await request(node, 'POST', '/v1/messages', 'PWB1', type);
      t.equal(toSender.headers.get('pinwheel-foreign-users'), null, 'a sender reads no more than it needs');
      const broken = await request(node, 'POST', '/v1/messages', 'PWB1junk', type);
      t.equal(broken.status, 400);
      t.match(broken.json, { error: { code: 'bad-request', message: /message 1 of the batch/ } });
    },
  );

  t.test('what is over a limit is refused with the limit', async (t) => {
    const large = 'x'.repeat(1_048_577);
    const single = await post(node, 'bob', large);
    t.equal(single.status, 413);
    t.match(single.json, { error: { code: 'too-large', message: /1048576/ } });
    const broadcast = await request(node, 'POST', '/v1/broadcast', large);
    t.equal(broadcast.status, 413);
    const lines = await request(node, 'POST', '/v1/messages', '{"user":"a","data":""}\n'.repeat(16_385));
    t.equal(lines.status, 413);
    t.match(lines.json, { error: { message: /16384 lines/ } });
    const [line, fine] = await postLines(node, [
      { user: 'bob', data: large },
      { user: 'bob', data: 'x' },
    ]);
    t.match(line, { error: { code: 'too-large' } });
    t.ok(fine?.['status'], 'the line after it counts');
    const announced = await rawRequest(
      node.port,
      'POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999\r\n\r\n',
    );
    t.match(announced, /^HTTP\/1.1 413 /, 'before a byte of it was read');
    const id = await post(node, 'bob', 'x', { 'pinwheel-message-id': 'x'.repeat(65) });
    t.match(id, { status: 400, json: { error: { code: 'bad-request' } } });
  });

  t.test('who writes a body to its end that is somewhat too large reads why behind it', async (t) => {
    const socket = connectTo(node.port, '127.0.0.1');
    t.teardown(() => socket.destroy());
    let text = '';
    socket.on('data', (bytes) => {
      text += bytes.toString();
    });
    socket.on('error', (error) => {
      text += error.message;
    });
    socket.write('POST /v1/users/bob/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 2000000\r\n\r\n');
    await until('it is refused', () => text.includes('too-large'));
    socket.write('x'.repeat(2_000_000));
    socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n');
    await until('the connection is there', () => text.includes('"status":"ok"'));
    t.match(text, /^HTTP\/1.1 413 /);
  });

  t.test('chunked bodies are read, and held to the limit', async (t) => {
    const head = 'POST /v1/users/nobody/messages HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n';
    const fine = await rawRequest(node.port, `${head}3\r\nabc\r\n0\r\n\r\n`);
    t.match(fine, /^HTTP\/1.1 404 /, 'offline');
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
    t.match(await rawRequest(node.port, head + chunk.repeat(20)), /^HTTP\/1.1 413 /);
  });

  t.test('an empty body is one, also when its head comes in pieces', async (t) => {
    for (const length of ['content-length: 0\r\n', '']) {
      const head = `POST /v1/users/nobody/messages HTTP/1.1\r\nhost: x\r\n${length}\r\n`;
      for (const cut of [head.length, head.length - 3, 45]) {
        const answer = await rawRequest(node.port, [head.slice(0, cut), head.slice(cut)]);
        t.match(answer, /^HTTP\/1.1 404 /, `offline, behind ${cut} bytes`);
      }
    }
  });

  t.test('unknown paths, methods and headers out of bounds get an error that says so', async (t) => {
    const unknown = await request(node, 'GET', '/v2/nothing?x=1');
    t.match(unknown, { status: 404, json: { error: { code: 'not-found' } } });
    const method = await request(node, 'PUT', '/v1/messages', 'x');
    t.match(method, { status: 405, json: { error: { code: 'method-not-allowed', message: /POST/ } } });
    for (const [path, status] of [
      ['/v1/messages', 405],
      ['/v1/ring', 405],
      ['/healthz', 200],
      ['/readyz', 200],
      ['/metrics', 200],
    ] as const) {
      const head = await rawRequest(node.port, `HEAD ${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
      t.match(head, new RegExp(`^HTTP/1.1 ${status} `), path);
      t.match(head, /\r\n\r\n$/, 'no body follows the answer to HEAD');
    }
    const pipelined = ['HEAD /v1/ring', 'HEAD /healthz', 'GET /readyz'];
    const each = pipelined.map((line) => `${line} HTTP/1.1\r\nhost: x\r\n\r\n`);
    const behind = await rawRequest(node.port, each.join(''), { whole: false });
    t.same(
      behind.match(/HTTP\/1.1 \d+/g),
      ['HTTP/1.1 405', 'HTTP/1.1 200', 'HTTP/1.1 200'],
      'but the next answer does',
    );
    for (const [name, value] of [
      ['pinwheel-hops', '3'],
      ['pinwheel-hops', '-1'],
      ['pinwheel-hops', 'x'],
      ['pinwheel-no-forward', 'yes'],
      ['pinwheel-deadline-ms', '0'],
      ['pinwheel-deadline-ms', '60001'],
      ['pinwheel-wait', 'server'],
    ] as const) {
      const { status, json } = await post(node, 'bob', 'x', { [name]: value });
      t.equal(status, 400, `${name}: ${value}`);
      t.match(json, { error: { code: 'bad-request', message: new RegExp(`^${name}`) } });
    }
    const hops = await post(node, 'bob', 'x', { 'pinwheel-hops': '9'.repeat(5000) });
    t.ok(hops.status === 400 && hops.text.length < 300, 'what is quoted has a bound');
    const caller = { from: 'n9', incarnation: 'x' };
    for (const body of [
      '{}',
      JSON.stringify({ ...caller, users: 'a' }),
      JSON.stringify({ ...caller, users: [1] }),
      JSON.stringify({ ...caller, users: [''] }),
      JSON.stringify({ ...caller, users: Array(501).fill('a') }),
    ]) {
      t.equal((await request(node, 'POST', '/v1/claims', body)).status, 400, body.slice(0, 20));
    }
    const claim = await request(node, 'POST', '/v1/claims', JSON.stringify({ ...caller, users: ['nobody'] }));
    t.match(claim.json, { foreignUsers: 0, answers: [{ kind: 'none' }] });
    for (const query of [
      'unknown=1',
      'session=a&session=b',
      'session',
      '=a',
      'code=999',
      'code=1006',
      'code=x',
      `reason=${'é'.repeat(62)}`,
      'reason=%ff',
    ]) {
      const { status } = await request(node, 'DELETE', `/v1/users/bob/sessions?${query}`);
      t.equal(status, 400, query);
    }
  });

  t.test('heads that others may read differently are refused', async (t) => {
    const ask = (lines: string, body: string) =>
      rawRequest(
        node.port,
        Buffer.from(`POST /v1/users/bob/messages HTTP/1.1\r\nhost: x\r\n${lines}\r\n\r\n${body}`, 'latin1'),
      );
    for (const name of ['message-id', 'wait', 'no-forward', 'hops', 'deadline-ms']) {
      for (const value of ['', '\xe4', '\xc3\xa4']) {
        const answer = await ask(`content-length: 1\r\npinwheel-${name}: ${value}`, 'x');
        t.match(answer, /^HTTP\/1.1 400 /, `${name}: ${value}`);
        t.match(answer, new RegExp(`pinwheel-${name} is empty, or begins with`));
      }
    }
    const chunked = '3\r\nabc\r\n0\r\n\r\n';
    for (const [lines, body, why] of [
      ['content-length: 2\r\ncontent-length: 5', 'hello', /content-length is there 2 times/],
      ['transfer-encoding: gzip, chunked', chunked, /transfer-encoding is .*gzip, chunked/],
      ['transfer-encoding: chunked\r\ntransfer-encoding: chunked', chunked, /transfer-encoding is/],
    ] as const) {
      const answer = await ask(lines, body);
      t.match(answer, /^HTTP\/1.1 400 /, lines);
      t.match(answer, why);
      t.match(answer, /connection: close/i, 'and nothing behind it is read');
    }
    const unread = 'GET /healthz HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\ncontent-length: 38\r\n\r\n';
    const answer = await rawRequest(node.port, unread);
    t.match(answer, /^HTTP\/1.1 400 .*content-length is there 2 times/s, 'where no body is read, too');
    t.match(answer, /connection: close/i);
    const head = await rawRequest(node.port, unread.replace('GET', 'HEAD'));
    t.match(head, /^HTTP\/1.1 400 .*connection: close.*\r\n\r\n$/is);
    const hidden = await rawRequest(node.port, `${unread}GET /healthz HTTP/1.1\r\nhost: y\r\n\r\n`);
    t.notMatch(hidden, /HTTP\/1.1 200 /, 'and what may be its body is not obeyed');
    t.match(await ask('transfer-encoding: Chunked', chunked), /^HTTP\/1.1 404 /, 'offline');
  });

  t.test('requests on one connection do not disturb one another', async (t) => {
    const head = 'POST /v1/users/nobody/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\nx';
    const large = 'x'.repeat(300_000);
    const refused = `POST /v1/users/%ff/messages HTTP/1.1\r\nhost: x\r\ncontent-length: ${large.length}\r\n\r\n${large}`;
    const answers = await rawRequest(node.port, refused + head + head, { whole: false });
    t.same(answers.match(/HTTP\/1.1 \d+/g), ['HTTP/1.1 400', 'HTTP/1.1 404', 'HTTP/1.1 404']);
    for (const path of ['/v1/messages', '/v1/users/nobody/messages', '/v1/migrations']) {
      for (const length of ['-1', 'abc', '1e3', '0x10', '1, 1', '']) {
        const head = `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: ${length}\r\n\r\n`;
        const answer = await rawRequest(node.port, head);
        t.notMatch(answer, /^HTTP\/1.1 5/, `${path}, content-length ${length}`);
      }
    }
  });

  t.test('twenty callers go away in the middle of a body, and nobody is harmed', async (t) => {
    const client = await connect(t, node, 'dan');
    const refusals = (kind: string) => metric(node, `pinwheel_node_refusals_total{class="${kind}"}`);
    const requests = async (): Promise<number> => {
      const kinds = ['single', 'ndjson', 'broadcast', 'peer'];
      const counts = kinds.map((kind) => metric(node, `pinwheel_node_requests_total{kind="${kind}"}`));
      return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
    };
    const before = await refusals('5xx');
    const goneBefore = await refusals('gone');
    const begun = await requests();
    const { createConnection } = await import('node:net');
    const sockets = Array.from({ length: 20 }, (_, i) => {
      const path = ['/v1/users/dan/messages', '/v1/messages', '/v1/broadcast', '/v1/claims'][i % 4];
      const socket = createConnection({ host: '127.0.0.1', port: node.port });
      socket.on('error', () => {});
      socket.write(
        `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n${'x'.repeat(1000 * i)}`,
      );
      return socket;
    });
    await until('the node is at all of them', async () => (await requests()) === begun + 20);
    for (const [i, socket] of sockets.entries()) {
      if (i % 2 === 0) socket.destroy();
      else socket.resetAndDestroy();
    }
    await until('all of them were noticed', async () => (await refusals('gone')) === goneBefore + 20);
    t.equal(await refusals('5xx'), before, 'the node did not fail');
    t.match(await post(node, 'dan', 'still here'), { status: 200 });
    await until('the message', () => client.texts.includes('still here'));
  });

  t.test('sessions are listed and closed by request', async (t) => {
    const [one, two] = await Promise.all([
      connect(t, node, 'eve', { headers: { 'pinwheel-edge': 'e1' } }),
      connect(t, node, 'eve'),
    ]);
    const { json } = await request(node, 'GET', '/v1/users/eve');
    t.match(json, { user: 'eve', holder: 'n1', online: true });
    const sessions = json['sessions'] as { session: string; edge?: string; since: string }[];
    t.same(sessions.map(({ edge }) => edge).sort(), ['e1', undefined]);
    const first = sessions.find(({ edge }) => edge === 'e1')?.session;
    const one1 = await request(
      node,
      'DELETE',
      `/v1/users/eve/sessions?session=${first}&code=4001&reason=a+b`,
    );
    t.same(one1.json, { user: 'eve', closed: 1 });
    await until('it is closed', () => one.end);
    t.same(one.end, { code: 4001, reason: 'a b' });
    t.equal(two.end, undefined);
    t.same((await request(node, 'DELETE', '/v1/users/eve/sessions')).json, { user: 'eve', closed: 1 });
    await until('it is closed', () => two.end);
    t.same(two.end, { code: 4500, reason: 'disconnected' });
    t.same((await request(node, 'DELETE', '/v1/users/eve/sessions')).json, { user: 'eve', closed: 0 });
    t.match((await request(node, 'GET', '/v1/users/eve')).json, { online: false, sessions: [] });
  });

  t.test('health, readiness, the ring and the plan of a change', async (t) => {
    t.match((await request(node, 'GET', '/healthz')).json, { status: 'ok', id: 'n1', draining: false });
    t.match(await request(node, 'GET', '/readyz'), { status: 200, json: { status: 'ready' } });
    t.match((await request(node, 'GET', '/v1/ring')).json, { members: [{ id: 'n1', share: 1 }] });
    const plan = await request(node, 'GET', '/v1/ring/plan?add=n2:2');
    t.match(plan, { status: 200, json: { users: Number, moving: Number } });
    const many = (count: number, weight: number) =>
      `add=${Array.from({ length: count }, (_, i) => `m${i}:${weight}`).join()}`;
    for (const [query, message] of [
      ['', /^there is nothing to plan/],
      ['add=%20', /^member id is " "/],
      ['remove=n7', /^cannot remove n7/],
      ['add=n2:0', /^weight of n2 is 0/],
      ['add=%ff', /./],
      ['add=n4&add=n5', /^parameter "add" is there more than once/],
      ['add=n4&removes=n1', /^unknown parameter "removes"; known: add, remove$/],
      [many(65, 1), /^add names 65 members; it must name at most 64$/],
      [many(64, 100), /^add has 3276800 points .*; it must have at most 65536$/],
    ] as const) {
      const refused = await request(node, 'GET', `/v1/ring/plan?${query}`);
      t.match(
        refused,
        { status: 400, json: { error: { code: 'bad-request', message } } },
        query.slice(0, 20),
      );
    }
    await connect(t, node, 'fay');
    const { users, ...emptied } = (await request(node, 'GET', '/v1/ring/plan?remove=n1')).json;
    t.match(emptied, { moving: users, homeless: users, to: {} }, 'without n1 nobody has a place');
    t.equal((await request(node, 'POST', '/v1/ring/accept')).status, 200);
  });
});

t.test('what a node reads after it stood still is taken by nobody', async (t) => {
  const nodes = await startNodes(t, ['n1'], { keepAliveMs: 500 });
  const node = nodes.of('n1');
  const client = await connect(t, node, 'ann');
  for (const path of ['/v1/broadcast', '/v1/users/ann/messages']) {
    const head = `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\n`;
    const answer = rawRequest(node.port, `${head}x`, { written: () => standStill(1000) });
    t.match(await answer, /^HTTP\/1.1 503 .*stood still/s, path);
  }
  t.same(client.frames, []);
});

/** The node is in this process. */
function standStill(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until; );
}
