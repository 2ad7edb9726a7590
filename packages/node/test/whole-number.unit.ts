import t from 'tap';
import { wholeNumber } from '../src/http/whole-number.js';

t.test('digits are a number', async (t) => {
  for (const [text, value] of [
    ['0', 0],
    ['007', 7],
    ['60000', 60_000],
    ['999999999', 999_999_999],
  ] as const) {
    t.equal(wholeNumber(text, 9), value, text);
  }
});

t.test('anything else is none', async (t) => {
  for (const text of [
    '',
    '-1',
    '+1',
    '1.5',
    '1e3',
    '0x10',
    ' 1',
    '1 ',
    '١',
    '1234567890',
    'NaN',
    'Infinity',
  ]) {
    t.ok(Number.isNaN(wholeNumber(text, 9)), JSON.stringify(text));
  }
});

t.test('how many digits there may be', async (t) => {
  t.ok(Number.isNaN(wholeNumber('1234567890', 9)));
  const many = wholeNumber('99999999999999999999');
  t.ok(many > Number.MAX_SAFE_INTEGER && many < 1e21, 'any, where nothing is said');
});
