import t from 'tap';
import {
  type CloseCode,
  closeCodes,
  closeReasonOf,
  errorCodes,
  headers,
  isErrorCode,
  isMessageId,
  PinwheelError,
  shouldReconnect,
} from '../src/index.js';

t.test('close codes', async (t) => {
  const all: readonly CloseCode[] = Object.values(closeCodes);
  t.equal(new Set(all.map(({ code }) => code)).size, all.length, 'numbers are unique');
  t.equal(new Set(all.map(({ name }) => name)).size, all.length, 'names are unique');
  for (const { code, name, reason, reconnect } of all) {
    t.ok(code >= 4000 && code <= 4999, name);
    t.equal(reconnect, code < 4500, `${name}: 4000–4499 reconnect`);
    t.equal(shouldReconnect(code), reconnect, name);
    t.ok(Buffer.byteLength(reason) <= 123, `${name}: the reason fits a close frame`);
    t.match(name, /^[a-z-]+$/);
  }
  for (const code of [1000, 1001, 1006, 1012, 3000, 4499, 5000])
    t.equal(shouldReconnect(code), true, `${code}`);
  for (const code of [4500, 4777, 4999]) t.equal(shouldReconnect(code), false, `${code}`);
  t.same(JSON.parse(closeReasonOf(12.6)), { retryAfterMs: 13 });
  t.ok(closeReasonOf(Number.MAX_SAFE_INTEGER).length <= 123);
});

t.test('error codes have HTTP statuses, and errors travel as JSON', async (t) => {
  for (const [code, status] of Object.entries(errorCodes)) {
    t.ok(isErrorCode(code) && status >= 400 && status < 600);
    const error = new PinwheelError(code as keyof typeof errorCodes, 'why');
    t.equal(error.httpStatus, status);
    t.same(JSON.parse(JSON.stringify(error)), { error: { code, message: 'why' } });
  }
  for (const no of ['__proto__', 'toString', '', 7, undefined]) t.equal(isErrorCode(no), false, String(no));
});

t.test('anything thrown becomes an error with a text', async (t) => {
  const own = new PinwheelError('deadline', 'late');
  t.equal(PinwheelError.from(own), own);
  const cause = new TypeError('no');
  t.match(PinwheelError.from(cause, 'application'), { code: 'application', message: 'no', cause });
  const odd = {
    toString() {
      throw new Error('not even that');
    },
  };
  for (const thrown of [null, undefined, 'text', 7, Symbol('s'), {}, Object.create(null), odd, () => {}]) {
    const { code, message } = PinwheelError.from(thrown);
    t.equal(code, 'internal');
    t.type(message, 'string');
  }
});

t.test('message ids are 1 to 64 printable ASCII characters', async (t) => {
  for (const id of ['a', '!~', 'x'.repeat(64)]) t.ok(isMessageId(id), id);
  for (const id of ['', 'x'.repeat(65), 'a b', 'é', '\n', 'a\n', 7, null])
    t.notOk(isMessageId(id), String(id));
});

t.test('headers are lower-case and unique', async (t) => {
  const names = Object.values(headers);
  t.equal(new Set(names).size, names.length);
  for (const name of names) t.match(name, /^pinwheel-[a-z-]+$/);
});
