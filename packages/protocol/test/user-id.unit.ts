import fc from 'fast-check';
import t from 'tap';
import { decodeUserId, parseUserId, queryText, rawQueryValue } from '../src/index.js';

t.test('any string of 1 to 256 bytes is a user', async (t) => {
  const fine = [
    'a',
    '__proto__',
    'constructor',
    'null',
    ' ',
    '\0',
    '\n',
    'ü'.repeat(128),
    '😀'.repeat(64),
    'x'.repeat(256),
  ];
  for (const user of fine) {
    t.equal(parseUserId(user), user);
    t.equal(decodeUserId(encodeURIComponent(user)), user);
  }
  t.equal(decodeUserId('a+b'), 'a+b', 'a plus in a path is a plus');
});

t.test('anything else is refused with what is wrong', async (t) => {
  for (const [value, message] of [
    ['', /empty/],
    ['x'.repeat(257), /257 bytes/],
    [`${'ü'.repeat(128)}x`, /257 bytes/],
    ['😀'.repeat(65), /260 bytes/],
    ['\ud800', /lone surrogate/],
    ['a\udc00b', /lone surrogate/],
    [null, /user is null; it must be a string/],
    [undefined, /undefined/],
    [7, /number/],
    [{}, /object/],
    [['a'], /object/],
  ] as const) {
    t.throws(() => parseUserId(value), { name: 'PinwheelError', code: 'bad-user', message });
  }
  for (const encoded of [
    '',
    '%',
    '%f',
    '%ff',
    '%C0%80',
    '%ED%A0%80',
    '%E2%82',
    '%zz',
    'ü',
    'a b',
    '\x7f',
    'a\n',
  ]) {
    t.throws(() => decodeUserId(encoded), { code: 'bad-user' }, JSON.stringify(encoded));
  }
  t.throws(() => decodeUserId('%41'.repeat(257)), { code: 'bad-user', message: /257/ });
});

t.test('over all strings: what is taken comes back, and nothing else is thrown', async () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      try {
        const user = parseUserId(text);
        if (Buffer.byteLength(user) > 256 || decodeUserId(encodeURIComponent(user)) !== text)
          throw new Error('no');
      } catch (thrown) {
        if ((thrown as { code?: unknown }).code !== 'bad-user') throw thrown;
      }
    }),
    { numRuns: 100 },
  );
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      try {
        decodeUserId(text);
      } catch (thrown) {
        if ((thrown as { code?: unknown }).code !== 'bad-user') throw thrown;
      }
    }),
  );
});

t.test('parameters of a query', async (t) => {
  t.equal(rawQueryValue('user=a+b&user=c', 'user'), 'a%20b', 'the first one counts');
  t.equal(rawQueryValue('xuser=a', 'user'), undefined);
  t.equal(rawQueryValue('user', 'user'), undefined);
  t.equal(rawQueryValue('', 'user'), undefined);
  t.equal(rawQueryValue('a=1&user=', 'user'), '');
  t.equal(rawQueryValue('user=a=b', 'user'), 'a=b');
  t.equal(queryText('reason=a%2Bb+c', 'reason'), 'a+b c');
  t.throws(() => queryText('reason=%ff', 'reason'), { code: 'bad-request', message: /parameter reason/ });
});
