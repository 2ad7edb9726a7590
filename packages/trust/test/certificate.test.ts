import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { makeCertificate, type TestCertificate } from '../../../test/kit/certificate.js';
import { until } from '../../../test/kit/until.js';
import { type CertificatePaths, openCertificateFiles, readCertificate } from '../src/index.js';

const folder = mkdtempSync(join(tmpdir(), 'pinwheel-trust-'));
t.teardown(() => rmSync(folder, { recursive: true }));

/** Into place at once, as a careful tool writes it. */
function put(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
  return path;
}

function putPair(name: string, { cert, key }: TestCertificate): CertificatePaths {
  return { cert: put(`${name}.crt`, cert), key: put(`${name}.key`, key) };
}

function recordedLog() {
  const lines: string[] = [];
  const write = (_: object, text: string): void => void lines.push(text);
  return { lines, info: write, warn: write };
}

t.test('a pair that belongs together is read', async (t) => {
  const paths = putPair('good', makeCertificate());
  const { names, fingerprint, expiresAt } = readCertificate(paths);
  t.equal(names, 'DNS:localhost, IP Address:127.0.0.1');
  t.match(fingerprint, /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  t.ok(expiresAt > Date.now());
});

t.test(
  'what cannot be served is refused with the name of the file, and nothing of what is in it',
  async (t) => {
    const one = makeCertificate();
    const other = makeCertificate();
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const locked = privateKey.export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'x',
    });
    const cases: readonly (readonly [string, CertificatePaths, RegExp])[] = [
      [
        'a key of another',
        putPair('mixed', { cert: one.cert, key: other.key }),
        /tls-key: .*mixed\.key is not the key of the certificate in .*mixed\.crt/,
      ],
      [
        'no certificate file',
        { cert: join(folder, 'none.crt'), key: put('a.key', one.key) },
        /tls-cert: .*none\.crt cannot be read: ENOENT/,
      ],
      [
        'no key file',
        { cert: put('b.crt', one.cert), key: join(folder, 'none.key') },
        /tls-key: .*none\.key cannot be read: ENOENT/,
      ],
      ['a folder', { cert: folder, key: put('c.key', one.key) }, /tls-cert: .* cannot be read: EISDIR/],
      [
        'the two the wrong way round',
        putPair('swapped', { cert: one.key, key: one.cert }),
        /tls-cert: .*swapped\.crt is no certificate in PEM/,
      ],
      [
        'a key with a passphrase',
        putPair('locked', { cert: one.cert, key: String(locked) }),
        /tls-key: .*locked\.key is no private key in PEM without a passphrase/,
      ],
      [
        'half a certificate',
        putPair('half', { cert: one.cert.slice(0, 200), key: one.key }),
        /tls-cert: .*half\.crt is no certificate/,
      ],
      [
        'a broken certificate behind the first',
        putPair('chain', { cert: one.cert + other.cert.slice(0, 300), key: one.key }),
        /tls-cert: .*chain\.crt cannot be served/,
      ],
      [
        'an empty file',
        putPair('empty', { cert: '', key: one.key }),
        /tls-cert: .*empty\.crt is no certificate/,
      ],
    ];
    for (const [what, paths, message] of cases) {
      t.throws(() => openCertificateFiles(paths), { code: 'bad-option', message }, what);
    }
  },
);

t.test('a certificate that is over, or soon will be, is served, and the log says when', async (t) => {
  const day = 86_400_000;
  const cases: readonly (readonly [number, RegExp | undefined])[] = [
    [15 * day, undefined],
    [13 * day, /is good only until 20.*; put a new one there/],
    [-day, /is over since 20/],
  ];
  for (const [lastsMs, says] of cases) {
    const log = recordedLog();
    const files = openCertificateFiles(putPair(`lasts${lastsMs}`, makeCertificate(lastsMs)), log);
    files.close();
    t.match(log.lines, says === undefined ? [] : [says]);
    t.equal(log.lines.length, says === undefined ? 0 : 1);
  }
});

t.test(
  'a pair that changes is taken; one that is broken, or that nobody can take, changes nothing',
  async (t) => {
    const log = recordedLog();
    const paths = putPair('live', makeCertificate());
    const files = openCertificateFiles(paths, log);
    t.teardown(() => files.close());
    const taken: string[] = [];
    let refusing = false;
    const unfollow = files.follow(({ fingerprint }) => {
      if (refusing) throw new Error('not this one');
      taken.push(fingerprint);
    });
    const first = files.current.fingerprint;
    t.same(taken, [], 'the one of the start is nobody’s news');

    put('live.key', makeCertificate().key);
    await until('it is refused', () => files.reads.refused === 1);
    t.equal(files.current.fingerprint, first);
    t.match(log.lines.at(-1), /live\.key is not the key of .*; the last certificate stays in use/);

    const next = makeCertificate();
    put('live.key', next.key);
    put('live.crt', next.cert);
    await until('it is taken', () => files.reads.taken === 1);
    t.not(files.current.fingerprint, first);
    t.same(taken, [files.current.fingerprint]);

    refusing = true;
    putPair('live', makeCertificate());
    await until('nobody takes it', () => log.lines.some((line) => line.includes('not this one')));
    t.equal(files.current.fingerprint, taken[0]);
    t.equal(files.reads.taken, 1);
    unfollow();
  },
);

t.test(
  'a folder that becomes a file, and a folder again: the pair is kept, and then read again',
  async (t) => {
    const live = join(folder, 'live');
    mkdirSync(live);
    const pair = makeCertificate();
    const paths = putPair('live/good', pair);
    const log = recordedLog();
    const files = openCertificateFiles(paths, log);
    t.teardown(() => files.close());
    const before = files.current.fingerprint;
    renameSync(live, `${live}.away`);
    writeFileSync(live, 'in the way');
    await until('it is said', () => log.lines.length === 1);
    t.match(log.lines[0], /ENOTDIR/);
    t.equal(files.current.fingerprint, before);
    rmSync(live);
    renameSync(`${live}.away`, live);
    putPair('live/good', makeCertificate());
    await until('the new one is there', () => files.current.fingerprint !== before);
  },
);
