import t from 'tap';
import { refuseForeignPage } from '../src/index.js';

t.test('pages of this machine, and whoever is no page, may ask', async (t) => {
  for (const origin of [
    undefined,
    '',
    'http://localhost',
    'https://localhost:3000',
    'http://app.localhost:5173',
    'http://127.0.0.1:8080',
    'http://127.1.2.3',
    'http://[::1]:8080',
  ]) {
    t.doesNotThrow(() => refuseForeignPage(origin), `${origin}`);
  }
});

t.test('no other page', async (t) => {
  for (const origin of [
    'null',
    'https://evil.example',
    'http://localhost.evil.example',
    'http://evil-localhost',
    'http://127.0.0.1.evil.example',
    'http://10.0.0.1',
    'http://[::2]',
    'file://',
    'http://localhost, https://evil.example',
    'https://evil.example/?localhost',
    'x',
  ]) {
    t.throws(
      () => refuseForeignPage(origin),
      { code: 'not-allowed', message: /may not ask this; without keys .*: give keys/ },
      origin,
    );
  }
});
