import { connect, type Socket } from 'node:net';
import t from 'tap';
import { until } from '../../../test/kit/until.js';
import { HeadWatch } from '../src/head-watch.js';
import { App, type HttpRequest, type HttpResponse } from '../src/index.js';
import { listen } from '../src/listen.js';

const timeoutMs = 400;
const get = 'GET /here?a=b HTTP/1.1\r\nhost: x\r\nx-line: 1\r\nx-line: 2\r\n\r\n';

/** A server whose heads are watched, and which answers what `go` says. */
async function watched(go: (response: HttpResponse, request: HttpRequest) => void) {
  const counts = { tooLate: 0, came: 0 };
  const watch = new HeadWatch(timeoutMs, () => counts.tooLate++);
  const app = App();
  app.any('/*', (response, request) =>
    watch.came(response, request, (read) => {
      counts.came++;
      go(response, read);
    }),
  );
  watch.follow(app);
  const { port } = await listen(app, '127.0.0.1', 0, 'port');
  t.teardown(() => {
    watch.close();
    app.close();
  });
  return { watch, counts, port };
}

/** Ends as its server says; resolves with what it was answered. */
async function says(port: number, ...parts: readonly string[]): Promise<string> {
  const socket = opened(port);
  let answer = '';
  socket.on('data', (chunk) => {
    answer += String(chunk);
  });
  for (const part of parts) {
    socket.write(part);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await until('it is over', () => socket.closed);
  return answer;
}

function opened(port: number): Socket {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.on('error', () => {});
  return socket;
}

const answering = (response: HttpResponse): void => {
  response.cork(() => void response.end('well', true));
};

t.test('what a request says can be read in a later turn', async (t) => {
  let said: unknown;
  const { port, watch } = await watched((response, request) => {
    const lines: string[] = [];
    request.forEach((name, value) => {
      lines.push(`${name}: ${value}`);
    });
    said = [request.getMethod(), request.getUrl(), request.getQuery(), lines];
    said = [...(said as unknown[]), request.getHeader('x-line'), request.getHeader('none')];
    answering(response);
  });
  t.match(await says(port, get), /^HTTP\/1.1 200 OK\r\n[\s\S]*well$/);
  t.same(said, ['get', '/here', 'a=b', ['host: x', 'x-line: 1', 'x-line: 2'], '1', '']);
  t.equal(watch.size, 0);
});

t.test('each way in which a connection can go on or end takes it off the watch', async (t) => {
  const { port, watch, counts } = await watched(answering);
  const cases: readonly (readonly [what: string, parts: readonly string[], answer: RegExp, came: number])[] =
    [
      ['a head', [get], / 200 /, 1],
      ['a head in parts', [get.slice(0, 40), get.slice(40)], / 200 /, 1],
      ['two at once: nothing may come behind one that waits', [get + get], /^$/, 0],
      ['a length', ['POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nabcde'], /^$/, 0],
      ['no length', ['GET / HTTP/1.1\r\nhost: x\r\ncontent-', 'length: 0\r\n\r\n'], /^$/, 0],
      ['an empty length', ['GET / HTTP/1.1\r\nhost: x\r\ncontent-length:\r\n\r\n'], /^$/, 0],
      ['chunks to come', ['POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n'], /^$/, 0],
      ['an old version', ['GET / HTTP/1.0\r\nhost: x\r\n\r\n'], / 505 /, 0],
      ['more than there is room for', [`GET / HTTP/1.1\r\nhost: x\r\nx: ${'x'.repeat(20_000)}`], / 431 /, 0],
    ];
  for (const [what, parts, answer, came] of cases) {
    counts.came = 0;
    t.match(await says(port, ...parts), answer, what);
    t.equal(counts.came, came, `${what}: goes on or not`);
    t.equal(watch.size, 0, `${what}: is not watched`);
  }
  const leaving = opened(port);
  leaving.write(get.slice(0, 30));
  await until('it is watched', () => watch.size === 1);
  leaving.resetAndDestroy();
  await until('it is not', () => watch.size === 0);
  t.equal(counts.tooLate, 0, 'nobody was too late');
});

t.test('who brings no whole head is ended, and nobody else', async (t) => {
  const held: HttpResponse[] = [];
  const { port, watch, counts } = await watched((response) => void held.push(response));
  const good = opened(port);
  good.write(get);
  const since = performance.now();
  const slow = [says(port), says(port, 'GET / HTTP/1.1\r\n', 'x', 'x', 'x')];
  t.same(await Promise.all(slow), ['', '']);
  const took = performance.now() - since;
  t.ok(took >= timeoutMs - 50 && took < timeoutMs + 3000, `in time: after ${Math.round(took)} ms`);
  t.equal(counts.tooLate, 2);
  await new Promise((resolve) => setTimeout(resolve, timeoutMs * 2));
  t.notOk(good.closed, 'one whose answer takes longer is not');
  t.equal(watch.size, 0);
  good.destroy();
});

t.test(
  'heads that come on a connection that was answered do not keep slow ones from being ended',
  async (t) => {
    const { port, watch, counts } = await watched((response) => {
      response.cork(() => void response.end('well'));
    });
    const talkative = opened(port);
    const talk = setInterval(() => talkative.write(get), 20);
    t.teardown(() => clearInterval(talk));
    const since = performance.now();
    t.equal(await says(port, 'GET / HTTP/1.1\r\n'), '');
    t.ok(performance.now() - since < timeoutMs + 3000, 'in time');
    t.equal(counts.tooLate, 1);
    t.ok(counts.came > 3, 'others have come meanwhile');
    t.notOk(talkative.closed);
    t.equal(watch.size, 0);
    talkative.destroy();
  },
);

t.test('a client that leaves before its answer gets none', async (t) => {
  const { port, watch, counts } = await watched(answering);
  for (let i = 0; i < 50; i++) {
    const socket = opened(port);
    socket.write(get);
    await new Promise((resolve) => socket.once('connect', resolve));
    if (i % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
    socket.resetAndDestroy();
  }
  t.match(await says(port, get), / 200 /, 'the server goes on');
  await until('nobody is watched', () => watch.size === 0);
  t.equal(counts.tooLate, 0);
});

t.test('when the server closes, nobody is watched', async (t) => {
  const watch = new HeadWatch(timeoutMs, () => t.fail('nobody is too late'));
  const app = App();
  watch.follow(app);
  const { port } = await listen(app, '127.0.0.1', 0, 'port');
  const sockets = Array.from({ length: 20 }, () => opened(port));
  await until('they are watched', () => watch.size === 20);
  app.close();
  t.equal(watch.size, 0);
  watch.close();
  await until('they are cut', () => sockets.every(({ closed }) => closed));
});
