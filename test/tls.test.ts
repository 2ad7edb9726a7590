import { once } from 'node:events';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '@pinwheel/bench/load/free-ports.js';
import t from 'tap';
import { WebSocket } from 'ws';
import { makeCertificate } from './kit/certificate.js';
import { runPinwheel, startPinwheel } from './kit/pinwheel-process.js';
import { runNode } from './kit/run-node.js';
import { TlsClient, TlsStream } from './kit/tls-clients.js';
import { probeTls } from './kit/tls-probe.js';
import { until } from './kit/until.js';

const folder = mkdtempSync(join(tmpdir(), 'pinwheel-tls-'));
t.teardown(() => rmSync(folder, { recursive: true }));
const authorities: string[] = [];
/** Both files in one step, as renewals do it: the folder that holds them is a link. */
const live = join(folder, 'live');
const paths = ['--tls-cert', join(live, 'chain.pem'), '--tls-key', join(live, 'key.pem')];

function serve(name: string, { cert, key } = makeCertificate()): void {
  authorities.push(cert);
  mkdirSync(join(folder, name));
  writeFileSync(join(folder, name, 'chain.pem'), cert);
  writeFileSync(join(folder, name, 'key.pem'), key, { mode: 0o600 });
  symlinkSync(name, join(folder, `${name}.link`));
  renameSync(join(folder, `${name}.link`), live);
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const echo = file('echo.mjs', "export const onMessage = ({ data, reply }) => reply('echo ' + data);");

async function metric(port: number, name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1));
}

/** A service of one node: where it listens, and the words that tell the others. */
async function membership(name: string) {
  const [port, wsPort] = [await freePort(), await freePort()];
  const members = [{ id: name, address: '127.0.0.1', port, wsPort }];
  const source = ['--membership', `static:${file(`${name}.json`, JSON.stringify({ members }))}`];
  return { port, wsPort, source, ports: ['--port', String(port), '--ws-port', String(wsPort)] };
}

t.test('clients come by TLS, to edges of both kinds and to a node', async (t) => {
  serve('first');
  const [behind, alone] = [await membership('n1'), await membership('n2')];
  const edge = (id: string, upstream: string) =>
    startPinwheel<{ port: number; adminPort: number }>(t, [
      ...['edge', '--id', id, '--upstream', upstream, '--port', '0', '--admin-port', '0'],
      ...[...behind.source, ...paths],
    ]);
  const node = (id: string, { ports, source }: typeof behind) =>
    startPinwheel<{ port: number; wsPort: number }>(t, [
      'node',
      '--id',
      id,
      '--app',
      echo,
      ...ports,
      ...source,
    ]);
  const [, nodeItself, links, tunnels] = await Promise.all([
    node('n1', behind),
    node('n2', { ...alone, source: [...alone.source, ...paths] }),
    edge('e1', 'link'),
    edge('e2', 'tunnel'),
  ]);
  const servers = [
    { name: 'an edge with links', port: links.facts.port, ops: links.facts.adminPort, log: links.log },
    {
      name: 'an edge with tunnels',
      port: tunnels.facts.port,
      ops: tunnels.facts.adminPort,
      log: tunnels.log,
    },
    { name: 'a node', port: nodeItself.facts.wsPort, ops: nodeItself.facts.port, log: nodeItself.log },
  ];
  const old = new Map(servers.map(({ name, port }) => [name, new TlsClient(port, 'old', authorities)]));

  await t.test('messages go both ways', async (t) => {
    for (const { name } of servers) t.ok(await old.get(name)!.echoes('one'), name);
  });

  await t.test('older versions than 1.2 are refused, by the server', async (t) => {
    // as weak as a client can be made: what stops it is not its own settings
    const weak = { minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    for (const { name, port } of servers) {
      for (const maxVersion of ['TLSv1', 'TLSv1.1'] as const) {
        const refused = probeTls(port, { ...weak, maxVersion });
        await t.rejects(refused, { code: /ALERT_PROTOCOL_VERSION/ }, `${name}, ${maxVersion}`);
      }
      t.equal((await probeTls(port, { ...weak, maxVersion: 'TLSv1.2' })).protocol, 'TLSv1.2', name);
      t.equal((await probeTls(port)).protocol, 'TLSv1.3', name);
    }
  });

  await t.test('what is no TLS is closed, and disturbs nobody', async (t) => {
    const upgrade =
      'GET /ws?user=x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';
    // a record of a handshake that says nothing of sense
    const junk = Buffer.concat([Buffer.from([22, 3, 1, 0, 64]), Buffer.alloc(64, 0xff)]);
    for (const { name, port } of servers) {
      for (const bytes of [upgrade, junk]) {
        const socket = connectPlain(port, '127.0.0.1');
        let closed = false;
        let got = '';
        socket.on('error', () => {});
        socket.on('close', () => {
          closed = true;
        });
        socket.on('data', (chunk) => {
          got += chunk.toString('latin1');
        });
        socket.write(bytes);
        await until(`${name} has closed it`, () => closed);
        t.notMatch(got, /101 Switching/, name);
      }
      t.ok(await old.get(name)!.echoes('still here'), name);
    }
  });

  await t.test('a new certificate is for new connections; the old ones live on', async (t) => {
    const before = (await probeTls(servers[0]!.port)).fingerprint;
    const streams = servers.map(({ port }) => new TlsStream(port, authorities));
    t.teardown(async () => {
      for (const stream of streams) await stream.end();
    });
    await until('all of them flow', () => streams.every(({ served }) => served >= 3));
    serve('second');
    const { fingerprint } = await until('there is a new one', async () => {
      const probed = await probeTls(servers[0]!.port);
      return probed.fingerprint !== before && probed;
    });
    for (const { name, port, ops } of servers) {
      const taken = 'pinwheel_tls_certificate_reads_total{outcome="taken"}';
      await until(`${name} has taken it`, async () => (await metric(ops, taken)) === 1);
      // the first one's socket may be open for a turn of the event loop
      await until(`${name} shows it`, async () => (await probeTls(port)).fingerprint === fingerprint);
      for (let i = 0; i < 20; i++) t.equal((await probeTls(port)).fingerprint, fingerprint, name);
    }
    const served = streams.map((stream) => stream.served);
    await until('they flow on', () => streams.every((stream, i) => stream.served >= served[i]! + 3));
    for (const [i, stream] of streams.entries()) {
      await stream.end();
      t.same(stream.failures, [], servers[i]!.name);
      // what waits to be accepted at the very moment when a socket closes is thrown away by the system
      t.ok(stream.resets <= 1, `${servers[i]!.name}: ${stream.resets} resets`);
    }
    for (const { name } of servers) {
      t.equal(old.get(name)!.isClosed, false, name);
      t.ok(await old.get(name)!.echoes('as ever'), name);
    }
  });

  await t.test('one that is broken changes nothing; the log says why, and it is counted', async (t) => {
    const { fingerprint } = await probeTls(servers[0]!.port);
    serve('mixed', { cert: makeCertificate().cert, key: makeCertificate().key });
    for (const { name, port, ops, log } of servers) {
      const refused = 'pinwheel_tls_certificate_reads_total{outcome="refused"}';
      await until(`${name} has refused it`, async () => (await metric(ops, refused)) === 1);
      t.equal((await probeTls(port)).fingerprint, fingerprint, name);
      t.match(
        log(),
        /key\.pem is not the key of the certificate in .*the last certificate stays in use/,
        name,
      );
      t.ok(await old.get(name)!.echoes('even so'), name);
    }
  });

  await t.test('how long it is good is a metric', async (t) => {
    for (const { name, ops } of servers) {
      const seconds = await metric(ops, 'pinwheel_tls_certificate_expiry_seconds');
      t.ok(seconds > 29 * 86_400 && seconds < 30 * 86_400, `${name}: ${seconds}`);
    }
  });
  for (const { socket } of old.values()) socket.terminate();
});

t.test('tunnels to a node with TLS', async (t) => {
  const [right, wrong] = [makeCertificate(), makeCertificate()];
  const service = await membership('n4');
  const served = ['--tls-cert', file('right.crt', right.cert), '--tls-key', file('right.key', right.key)];
  const edge = (id: string, ...more: readonly string[]) =>
    startPinwheel<{ port: number }>(t, [
      ...['edge', '--id', id, '--upstream', 'tunnel', '--port', '0', ...service.source],
      ...more,
    ]);
  const [node, trusting, others, plain] = await Promise.all([
    startPinwheel<{ port: number }>(t, [
      ...['node', '--id', 'n4', '--app', echo, ...service.ports, ...service.source, ...served],
    ]),
    edge('e4', '--backend-ca', join(folder, 'right.crt')),
    edge('e5', '--backend-ca', file('wrong.crt', wrong.cert)),
    edge('e6'),
  ]);
  const open = (port: number, headers = {}): Promise<{ client: WebSocket; answer: string }> =>
    new Promise((resolve) => {
      const client = new WebSocket(`ws://127.0.0.1:${port}/ws?user=alice`, { headers });
      t.teardown(() => client.terminate());
      client.on('error', () => {});
      client.on('open', () => resolve({ client, answer: 'opened' }));
      client.on('unexpected-response', (_, response) => {
        let answer = `${response.statusCode} `;
        response.on('data', (chunk) => {
          answer += chunk;
        });
        response.on('end', () => resolve({ client, answer }));
      });
    });
  // the certificate is compared with the node's address, whatever the client calls the edge
  const { client, answer } = await open(trusting.facts.port, { host: 'chat.example' });
  t.equal(answer, 'opened', 'by an edge that trusts its authority');
  const echoed = once(client, 'message');
  client.send('hello');
  t.equal(String((await echoed)[0]), 'echo hello');
  const another = await open(others.facts.port);
  const refused = /^502 .*the connection to the backend ended before its answer"/;
  t.match(another.answer, refused, 'by one that trusts another');
  await until(
    'its log says why',
    () => /an upgrade came to nothing/.test(others.log()) && /self-signed certificate/.test(others.log()),
  );
  const without = await open(plain.facts.port);
  t.match(without.answer, refused, 'by one that does not speak TLS');
  t.equal(await metric(node.facts.port, 'pinwheel_node_upgrades_total{outcome="accepted"}'), 1);
});

t.test('the commands of the README, with TLS', async (t) => {
  serve('third');
  const ports = ['--port', '0', '--admin-port', '0', '--node-port', '0', '--nodes', '1'];
  const up = await startPinwheel<{ edges: { url: string }[] }>(t, ['up', ...ports, ...paths, '--app', echo]);
  const { url } = up.facts.edges[0]!;
  t.match(url, /^wss:/);
  const program = fileURLToPath(new URL('../packages/cli/bin/pinwheel.js', import.meta.url));
  const trusting = { ...process.env, NODE_EXTRA_CA_CERTS: join(live, 'chain.pem') };
  const child = runNode([program, 'listen', 'alice', '--edge', url], { env: trusting });
  t.teardown(() => child.kill('SIGKILL'));
  let output = '';
  child.stdout.on('data', (bytes) => {
    output += bytes;
  });
  child.stdin.write('hello\n');
  await until('alice hears her echo', () => output === 'echo hello\n');
  t.pass('she did');
});

t.test('an edge whose authorities cannot be read, or would not be asked, does not start', async (t) => {
  const words = ['edge', '--id', 'e1', '--membership', `static:${file('none.json', '{"members":[]}')}`];
  for (const [path, upstream, says] of [
    ['/nowhere.pem', 'tunnel', /backend-ca: \/nowhere\.pem cannot be read/],
    [echo, 'tunnel', /backend-ca: .*echo\.mjs is no certificate in PEM/],
    [
      file('some.crt', makeCertificate().cert),
      'link',
      /backend-?ca is given, but links are never encrypted/i,
    ],
  ] as const) {
    const { code, stderr } = await runPinwheel([...words, '--upstream', upstream, '--backend-ca', path]);
    t.equal(code, 2);
    t.match(stderr, says);
  }
});

t.test('what cannot be served ends the start with 2, and the file’s name', async (t) => {
  const one = makeCertificate();
  const [cert, key] = [file('one.crt', one.cert), file('one.key', one.key)];
  const other = file('other.key', makeCertificate().key);
  const nobody = ['--membership', `static:${file('nobody.json', '{"members":[]}')}`];
  const commands = [
    ['edge', '--id', 'e1', '--port', '0', ...nobody],
    ['node', '--id', 'n1', ...nobody],
  ];
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['--tls-cert', cert], /tls-key is missing; give its private key with --tls-key FILE/],
    [['--tls-key', key], /tls-cert is missing; give the certificate with --tls-cert FILE/],
    [['--tls-cert', cert, '--tls-key', other], /other\.key is not the key of the certificate in .*one\.crt/],
    [['--tls-cert', cert, '--tls-key', '/nowhere.key'], /\/nowhere\.key cannot be read: ENOENT/],
  ];
  for (const [given, says] of cases) {
    for (const [i, { code, stderr }] of (
      await Promise.all(commands.map((words) => runPinwheel([...words, ...given])))
    ).entries()) {
      t.equal(code, 2, `${commands[i]![0]} ${given.join(' ')}`);
      t.match(stderr, says);
    }
  }
});
