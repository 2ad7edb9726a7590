import t from 'tap';
import { httpTarget } from '../src/index.js';

const basic = (secret: string) => ({ authorization: `Basic ${Buffer.from(secret).toString('base64')}` });

t.test('a URL without its secrets, and a header with them', async (t) => {
  for (const [text, url, headers] of [
    ['http://a/b?c=d', 'http://a/b?c=d', {}],
    ['HTTPS://a', 'https://a/', {}],
    ['http://ann:p%40ss%3Aw%C3%B6rd@a:81/b', 'http://a:81/b', basic('ann:p@ss:wörd')],
    ['http://ann@a/', 'http://a/', basic('ann:')],
    ['http://:secret@a/', 'http://a/', basic(':secret')],
    ['http://ann:100%@a/', 'http://a/', basic('ann:100%')],
  ] as const) {
    const target = httpTarget(text);
    t.same({ url: target?.url.href, headers: target?.headers }, { url, headers }, text);
    t.equal(target?.name, url.replace('?c=d', ''), 'as a log has it');
  }
});

t.test('anything else is none', async (t) => {
  for (const text of ['', 'a', 'ftp://a', 'http:/a', 'http://', 'file:///a'])
    t.equal(httpTarget(text), undefined, text);
});
