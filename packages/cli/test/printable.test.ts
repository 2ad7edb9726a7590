import t from 'tap';
import { printable } from '../src/output/printable.js';

t.test('what strangers choose neither begins a line nor commands the terminal', async (t) => {
  t.equal(printable('alice ä 你 👋'), 'alice ä 你 👋');
  t.equal(printable('a\nerror: forged'), 'a\\u000aerror: forged');
  t.equal(printable('\u001b]0;title\u0007\u009b2J\u007f'), '\\u001b]0;title\\u0007\\u009b2J\\u007f');
});
