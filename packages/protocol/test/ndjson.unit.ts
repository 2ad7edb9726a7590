import fc from 'fast-check';
import t from 'tap';
import { countLines, PinwheelError, parseNdjson } from '../src/index.js';

const newId = (): string => 'made';
const parse = (body: string | Buffer) => parseNdjson(Buffer.from(body), newId);

t.test('lines become messages', async (t) => {
  const lines = parse(
    '{"user":"ü","data":"é"}\r\n\n  {"user":"__proto__","base64":"AP8=","id":"mine","wait":"client"}  \n',
  );
  t.same(lines, [
    { user: 'ü', data: Buffer.from('é'), binary: false, id: 'made', waitForClient: false, repeated: false },
    {
      user: '__proto__',
      data: Buffer.from([0, 255]),
      binary: true,
      id: 'mine',
      waitForClient: true,
      repeated: true,
    },
  ]);
  t.same(parse(''), []);
  t.same(parse('\n\n \n'), []);
});

t.test('each broken line becomes an error in its place, the others count', async (t) => {
  const cases: readonly (readonly [string | Buffer, string, RegExp])[] = [
    ['{"user":"a"', 'bad-request', /^not JSON/],
    ['[]', 'bad-request', /must be an object/],
    ['"x"', 'bad-request', /must be an object/],
    ['{"data":"x"}', 'bad-user', /user is undefined/],
    ['{"user":null,"data":"x"}', 'bad-user', /user is null/],
    ['{"user":"\\ud800","data":"x"}', 'bad-user', /lone surrogate/],
    ['{"user":"a"}', 'bad-request', /exactly one of data and base64/],
    ['{"user":"a","data":"x","base64":""}', 'bad-request', /exactly one/],
    ['{"user":"a","data":7}', 'bad-request', /data is number/],
    ['{"user":"a","data":"\\ud800"}', 'bad-request', /data has a lone surrogate/],
    ['{"user":"a","data":null}', 'bad-request', /data is null/],
    ['{"user":"a","base64":"A"}', 'bad-request', /base64/],
    ['{"user":"a","base64":"===="}', 'bad-request', /base64/],
    ['{"user":"a","base64":"AA-_"}', 'bad-request', /base64/],
    ['{"user":"a","data":"x","id":""}', 'bad-request', /^id is ""/],
    ['{"user":"a","data":"x","id":"é"}', 'bad-request', /^id is "é"/],
    ['{"user":"a","data":"x","id":{"a":1}}', 'bad-request', /^id is object/],
    ['{"user":"a","data":"x","wait":"server"}', 'bad-request', /^wait is "server"/],
    ['{"user":"a","data":"x","__proto__":1}', 'bad-request', /unknown field "__proto__"/],
    [Buffer.from('{"user":"\xff","data":"x"}', 'latin1'), 'bad-request', /not valid UTF-8/],
    [`{"user":"a","data":"${'x'.repeat(1_048_577)}"}`, 'too-large', /1048577/],
    [
      `{"user":"a","data":"x","id":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      'bad-request',
      /^the line has too many fields/,
    ],
  ];
  const fine = Buffer.from('\n{"user":"fine","data":"x"}\n');
  const lines = parseNdjson(Buffer.concat(cases.flatMap(([line]) => [Buffer.from(line), fine])), newId);
  t.equal(lines.length, cases.length * 2);
  cases.forEach(([, code, message], i) => {
    t.match(lines[2 * i], { code, message }, String(message));
    t.match(lines[2 * i + 1], { user: 'fine' });
  });
});

t.test('an error does not send back what it complains of in full', async (t) => {
  const long = 'x'.repeat(100_000);
  for (const line of [
    `{"user":"a","data":"x","id":"${long}"}`,
    `{"user":"a","data":"x","wait":"${long}"}`,
    `{"user":"a","data":"x","${long}":1}`,
    `{"user":"a","data":${long}}`,
  ]) {
    const [error] = parse(line);
    t.ok(error instanceof PinwheelError && error.message.length < 300);
  }
});

t.test('a line that would take long is refused before it is read', async (t) => {
  const keys = Array.from({ length: 100_000 }, (_, i) => `"k${i}":0`).join();
  const escaped = JSON.stringify({ user: 'a', data: '"\\'.repeat(300_000) });
  const large = `{"user":"a","data":"${' '.repeat(1_572_864)}"}`;
  const fine = '{"user":"fine","data":"x"}';
  const [tooLong, tooMany, many, last] = parse([large, `{${keys}}`, escaped, fine].join('\n'));
  t.match(tooLong, {
    code: 'too-large',
    message: /^the line has \d+ bytes; it must have at most 1572864$/,
  });
  const known = 'known: user, data, base64, id, wait';
  t.match(tooMany, { code: 'bad-request', message: `the line has too many fields; ${known}` });
  for (const deep of [
    '['.repeat(700_000),
    `{"a":${'['.repeat(100_000)}`,
    `{"a":"x","b":${'{"c":'.repeat(1000)}`,
  ]) {
    const [nested] = parseNdjson(Buffer.from(deep), () => 'id');
    t.match(nested, { code: 'bad-request', message: /too many fields/ }, `${deep.slice(0, 20)}…`);
  }
  const [braces] = parseNdjson(Buffer.from(`{"user":"a","data":"${'[{'.repeat(100)}"}`), () => 'id');
  t.match(braces, { user: 'a' }, 'what is in a text is not nested');
  t.equal(countLines(Buffer.from('a\n\nb\n[')), 3);
  t.equal(many instanceof PinwheelError ? many.message : many?.data.length, 600_000);
  t.match(last, { user: 'fine' });
});

t.test('too many lines are refused as a whole', async (t) => {
  const line = '{"user":"a","data":""}\n';
  t.equal(parse(line.repeat(16_384)).length, 16_384);
  t.throws(() => parse(line.repeat(16_385)), { code: 'too-large', message: /16384 lines/ });
  t.same(parse('\n'.repeat(16_384)), []);
  t.throws(() => parse('\n'.repeat(16_385)), { code: 'too-large' }, 'empty ones count');
});

t.test('over random bodies: as many results as lines that are not empty, and nothing is thrown', async () => {
  const line = fc.oneof(
    fc.json(),
    fc.string({ unit: 'binary' }),
    fc.record({ user: fc.anything(), data: fc.anything(), id: fc.anything() }).map((value) => {
      try {
        return JSON.stringify(value) ?? '';
      } catch {
        return '';
      }
    }),
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const body = lines.map((each) => each.replaceAll('\n', ' '));
      const wanted = body.filter((each) => Buffer.from(each).toString().trim() !== '').length;
      const got = parse(body.join('\n')).length;
      if (got !== wanted) throw new Error(`${got} of ${wanted}`);
    }),
    { numRuns: 200 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      parse(Buffer.from(bytes));
    }),
    { numRuns: 200 },
  );
});
