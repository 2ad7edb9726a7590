import { resolve } from 'node:path';
import t from 'tap';
import { membershipFrom } from '../src/parse-membership.js';

t.test('forms that are understood', async (t) => {
  const cases = [
    ['consul://127.0.0.1:8501/chat', 'consul 127.0.0.1:8501, service chat'],
    ['consul://consul.internal/chat', 'consul consul.internal:8500, service chat'],
    ['consul://[::1]:8500/chat', 'consul ::1:8500, service chat'],
    ['consul://a:80/chat?tag=blue&token-file=/dev/null', 'consul a:80, service chat, tag blue'],
    ['static:members.json', `file ${resolve('members.json')}`],
    ['static:/etc/members.json', 'file /etc/members.json'],
    ['static:/etc/members.json?poll-ms=5000', 'file /etc/members.json'],
    ['static:/etc/what?.json', 'file /etc/what?.json'],
  ] as const;
  for (const [text, description] of cases) {
    const membership = membershipFrom(text);
    t.equal(membership.description, description);
    await membership.close();
  }
});

t.test('a token file that cannot be read is refused at once', async (t) => {
  const cases = [
    ['/nope', 'cannot read token-file /nope: no such file'],
    ['/', 'cannot read token-file /: it is a folder'],
  ] as const;
  for (const [path, message] of cases) {
    t.throws(() => membershipFrom(`consul://a/x?token-file=${path}`), { code: 'bad-option', message });
  }
});

t.test('anything else is refused with the value and the forms', async (t) => {
  const cases = [
    ['', undefined],
    ['consul', undefined],
    ['redis://a', undefined],
    ['consul:a', undefined],
    ['consul://a:99999/x', undefined],
    ['consul://', 'the host is missing'],
    ['consul://a:8500', 'the service is missing'],
    ['consul://a:8500/', 'the service is missing'],
    ['consul://a:0/x', 'the port is 0'],
    ['consul://user:secret@a/x', 'a token belongs into token-file'],
    ['consul://a/x?token=secret', '"token" is not known'],
    ['consul://a/%ff', 'the service is not percent-encoded UTF-8'],
    ['static:', 'the file is missing'],
    ['static:?poll-ms=5000', 'the file is missing'],
    ['static:m.json?poll-ms=99', 'poll-ms must be a whole number between 100 and 3600000'],
    ['static:m.json?poll-ms=1e3', 'poll-ms must be a whole number between 100 and 3600000'],
  ] as const;
  for (const [text, why] of cases) {
    const reason = why === undefined ? '' : ` (${why})`;
    const forms = 'it must be consul://host:port/service[?tag=…&token-file=…] or static:FILE.json';
    t.throws(() => membershipFrom(text), {
      code: 'bad-option',
      message: `membership is ${JSON.stringify(text.replace('user:secret', '…').replace('secret', '…'))}${reason}; ${forms}`,
    });
  }
  t.throws(() => membershipFrom(process.env['NOT_SET']!), {
    code: 'bad-option',
    message: /^membership is undefined; it must be consul:/,
  });
  t.throws(() => membershipFrom('consul://a/b/c'), { code: 'bad-option', message: /service is "b\/c"/ });
});
