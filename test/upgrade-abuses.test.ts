import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@pinwheel/bench/load/free-ports.js';
import t from 'tap';
import { clientFrame, key, RawClient, upgradeText } from '../packages/edge/test/raw-client.js';
import { changed, type Outcome } from './kit/abuses/abuse.js';
import { framingAbuses } from './kit/abuses/framing.js';
import { headerAbuses } from './kit/abuses/headers.js';
import { goodAnswer, type Recorded, RecordingBackend } from './kit/abuses/recording-backend.js';
import { syntaxAbuses } from './kit/abuses/syntax.js';
import { startPinwheel } from './kit/pinwheel-process.js';
import { until } from './kit/until.js';

/** For an answer, and for the end of a connection after it. */
const patience = { deadlineMs: 30_000 };
const abuses = [...framingAbuses, ...headerAbuses, ...syntaxAbuses];
const folder = mkdtempSync(join(tmpdir(), 'pinwheel-abuses-'));
t.teardown(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** A client that was there before, and must notice nothing. */
class Neighbour {
  readonly #client: RawClient;
  #said = 0;

  private constructor(client: RawClient) {
    this.#client = client;
  }

  static async at(port: number): Promise<Neighbour> {
    const client = await new RawClient(port).write(upgradeText('/ws?user=neighbour&good=1')).answered();
    return new Neighbour(client);
  }

  /** Resolves when something that it says now has come back: what others had sent before has been read by then. */
  async echoes(): Promise<boolean> {
    const word = `echo-${++this.#said};`;
    this.#client.write(clientFrame(word));
    return until('the neighbour hears her echo', () => this.#client.text.includes(word));
  }

  leave(): void {
    this.#client.socket.destroy();
  }
}

/** Writes the packets, each when the one before has been read. */
async function send(
  port: number,
  neighbour: Neighbour,
  packets: readonly (string | Buffer)[],
): Promise<RawClient> {
  const client = new RawClient(port);
  for (const packet of packets) {
    client.write(Buffer.from(packet as string, 'latin1'));
    await neighbour.echoes();
  }
  return client;
}

/** The status of the answer when there is one, else that it was closed; or that nothing came within the deadline. */
async function outcomeOf(client: RawClient): Promise<Outcome | 'silence' | 'open'> {
  try {
    await until('an answer or a close', () => client.status > 0 || client.closed, patience);
    if (client.text.includes('HTTP/1.1 101 ')) client.socket.destroy();
    await until('the end', () => client.closed, patience);
  } catch {
    client.socket.destroy();
    return client.status > 0 ? 'open' : 'silence';
  }
  return client.status > 0 ? client.status : 'close';
}

/** Why what a backend got is not one proper upgrade that the edge has made; `undefined` when it is. */
function wrongIn(head: string, target: string): string | undefined {
  const [line, ...headers] = head.split('\r\n').slice(0, -2);
  if (!head.endsWith('\r\n\r\n') || head.indexOf('\r\n\r\n') !== head.length - 4) return 'it is not one head';
  if (line !== `GET ${target} HTTP/1.1`) return `its first line is ${line}`;
  const names = headers.map((header) => header.slice(0, header.indexOf(':')).toLowerCase());
  const odd = headers.find((header) => !/^[\w!#$%&'*+.^`|~-]+: [\t\x20-\x7e]*$/.test(header));
  if (odd !== undefined) return `it has the header ${odd}`;
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) return `${twice} is there twice`;
  const bad = names.find((name) =>
    ['content-length', 'transfer-encoding', 'expect', 'http2-settings'].includes(name),
  );
  if (bad !== undefined) return `it has ${bad}`;
  const values = new Map(headers.map((header, i) => [names[i], header.slice(header.indexOf(':') + 2)]));
  const wanted = { upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': key };
  const wrong = Object.entries(wanted).find(([name, value]) => values.get(name) !== value);
  if (wrong !== undefined) return `${wrong[0]} is ${values.get(wrong[0])}`;
  const user = new URLSearchParams(target.slice(target.indexOf('?'))).get('user');
  return values.get('pinwheel-user') === user ? undefined : `pinwheel-user is ${values.get('pinwheel-user')}`;
}

t.test('abuses of the upgrade', async (t) => {
  const backend = await RecordingBackend.start(t);
  const echo = file('echo.mjs', 'export const onMessage = ({ data, reply }) => reply(data);');
  const [port, wsPort] = [await freePort(), await freePort()];
  const member = { id: 'n1', address: '127.0.0.1', port };
  const source = (name: string, members: readonly object[]) => [
    '--membership',
    `static:${file(name, JSON.stringify({ members }))}`,
  ];
  const toNode = source('node.json', [{ ...member, wsPort }]);
  const toBackend = source('backend.json', [{ ...member, wsPort: backend.port }]);
  const [, tunnels, links] = await Promise.all([
    startPinwheel(t, [
      ...['node', '--id', 'n1', '--port', String(port), '--ws-port', String(wsPort), '--app', echo],
      ...toNode,
    ]),
    startPinwheel<{ port: number }>(t, [
      'edge',
      '--id',
      'e1',
      '--upstream',
      'tunnel',
      '--port',
      '0',
      ...toBackend,
    ]),
    startPinwheel<{ port: number }>(t, ['edge', '--id', 'e2', '--port', '0', ...toNode]),
  ]);
  const at = { tunnel: tunnels.facts.port, link: links.facts.port, node: wsPort } as const;

  const reached = (user: string): readonly Recorded[] =>
    backend.connections.filter(
      ({ bytes }) => !bytes.includes('user=neighbour') && bytes.includes(`user=${user}`),
    );
  const strangers = (): readonly string[] =>
    backend.connections
      .map(({ bytes }) => bytes.toString('latin1'))
      .filter((text) => text !== '' && !/GET \/ws\?user=(neighbour|[ab]\d+)/.test(text));

  t.test(`at an edge with tunnels, ${abuses.length} of them`, async (t) => {
    const neighbour = await Neighbour.at(at.tunnel);
    for (const [i, { what, packets, tunnel }] of abuses.entries()) {
      const target = `/ws?user=a${i}`;
      const client = await send(at.tunnel, neighbour, packets(target));
      if (tunnel === 101) {
        const [got] = await until(
          `${what}: the backend has it`,
          () => reached(`a${i}`).length > 0 && reached(`a${i}`),
        );
        await neighbour.echoes();
        t.equal(wrongIn(got!.bytes.toString('latin1'), target), undefined, `${what}: what the backend has`);
        backend.answer(got!, goodAnswer);
      }
      t.equal(await outcomeOf(client), tunnel, `${what}: ${client.text.slice(0, 300)}`);
      t.equal(reached(`a${i}`).length, tunnel === 101 ? 1 : 0, `${what}: connections to a backend`);
      t.ok(await neighbour.echoes(), `${what}: the neighbour`);
    }
    neighbour.leave();
    t.same(strangers(), [], 'not a byte of anybody else has reached the backend');
  });

  t.test('at an edge with links and at a node', async (t) => {
    // uWebSockets.js waits for the rest of what it cannot read, and closes after 10 s: all of them wait together
    const tried = (['link', 'node'] as const).map(async (server) => {
      const neighbour = await Neighbour.at(at[server]);
      const clients: RawClient[] = [];
      for (const [i, { packets }] of abuses.entries()) {
        clients.push(await send(at[server], neighbour, packets(`/ws?user=${server}${i}`)));
      }
      const outcomes = await Promise.all(clients.map(outcomeOf));
      for (const [i, { what, [server]: wanted }] of abuses.entries()) {
        t.ok(
          [wanted].flat().includes(outcomes[i] as Outcome),
          `${server}, ${what}: ${clients[i]!.text.slice(0, 300)}`,
        );
      }
      t.ok(await neighbour.echoes(), `${server}: the neighbour`);
      neighbour.leave();
    });
    await Promise.all(tried);
  });

  t.test('an edge with tunnels is as strict when Node.js is told not to be', async (t) => {
    const { facts } = await startPinwheel<{ port: number }>(
      t,
      ['edge', '--id', 'e3', '--upstream', 'tunnel', '--port', '0', ...toBackend],
      {},
      ['--insecure-http-parser'],
    );
    for (const text of [
      changed('/ws?user=lenient', { 'X-C': 'a\x01b' }),
      'GET /x?user=lenient HTTP/1.1\r\nHost: x\r\nX-C: a\x01b\r\n\r\n',
    ]) {
      const client = new RawClient(facts.port).write(text);
      t.equal(await outcomeOf(client), 400, client.text);
    }
  });

  const noAccept = goodAnswer.replace(/Sec-WebSocket-Accept: .*\r\n/, '');
  const badAnswers: readonly (readonly [what: string, answer: string, status: Outcome])[] = [
    ['200', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', 502],
    ['200 that upgrades', goodAnswer.replace('101 Switching Protocols', '200 OK'), 502],
    ['204', 'HTTP/1.1 204 No Content\r\n\r\n', 502],
    ['101 with a wrong accept', goodAnswer.replace(/Accept: ./, 'Accept: X'), 502],
    ['101 without an accept', noAccept, 502],
    ['101 with two accepts', goodAnswer.replace('\r\n\r\n', '\r\nSec-WebSocket-Accept: x\r\n\r\n'), 502],
    ['101 to h2c', goodAnswer.replace('websocket', 'h2c'), 502],
    ['101 without an upgrade', goodAnswer.replace('Upgrade: websocket\r\n', ''), 502],
    ['100 and then 101 with a wrong accept', `HTTP/1.1 100 Continue\r\n\r\n${noAccept}`, 502],
    ['what is no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n\r\n', 502],
    ['403', 'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno', 403],
  ];
  t.test(
    'a backend that answers with something else gets nothing that came behind the upgrade',
    async (t) => {
      const neighbour = await Neighbour.at(at.tunnel);
      for (const [i, [what, answer, status]] of badAnswers.entries()) {
        const target = `/ws?user=b${i}`;
        const upgrade = changed(target, {});
        const client = await send(at.tunnel, neighbour, [
          upgrade + clientFrame('early').toString('latin1'),
          'GET / HTTP/1.1\r\n\r\n',
        ]);
        const [got] = await until(
          `${what}: the backend has it`,
          () => reached(`b${i}`).length > 0 && reached(`b${i}`),
        );
        await neighbour.echoes();
        backend.answer(got!, answer);
        t.equal(await outcomeOf(client), status, `${what}: ${client.text.slice(0, 300)}`);
        await neighbour.echoes();
        t.equal(wrongIn(got!.bytes.toString('latin1'), target), undefined, `${what}: what the backend has`);
        t.equal(reached(`b${i}`).length, 1, `${what}: connections to a backend`);
      }
      neighbour.leave();
    },
  );
});
