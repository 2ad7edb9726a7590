import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { until } from '../../../test/kit/until.js';
import type { ClientStatus } from '../src/index.js';
import { type Browser, startBrowser } from './kit/browser.js';
import { startRealService } from './kit/real-service.js';
import { startRelay } from './kit/relay.js';
import { pathOf } from './kit/service.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const importMap = /<script type="importmap">.*?<\/script>/s.exec(readme)![0];

/** A page with a connection, and what it was told, for the test to look at. Bytes are shown as arrays. */
function pageFor(url: string): string {
  return `<!doctype html><link rel="icon" href="data:,">${importMap}
<script type="module">
  import { connect } from '@pinwheel/client';

  const shown = (data) => (typeof data === 'string' ? data : [...data]);
  const seen = { data: [], replies: [], statuses: [] };
  const connection = connect(${JSON.stringify(url)}, {
    retry: { firstMs: 20, longestMs: 100 },
    onMessage: ({ data }) => seen.data.push(shown(data)),
    onReply: (data) => seen.replies.push(shown(data)),
    onStatus: (status) => seen.statuses.push(status),
  });
  globalThis.test = { seen, connection };
</script>`;
}

interface Seen {
  readonly data: readonly (string | readonly number[])[];
  readonly replies: readonly (string | readonly number[])[];
  readonly statuses: readonly ClientStatus[];
}

/** The page's connection, from outside. */
class PageClient {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  seen(): Promise<Seen> {
    return this.run('test.seen');
  }

  status(): Promise<ClientStatus> {
    return this.run('test.connection.status');
  }

  /** Sends in the page; the page has its outcomes under `globalThis.sent`. */
  async send(data: string): Promise<void> {
    await this.run(
      `(globalThis.sent ??= []).push(test.connection.send(${JSON.stringify(data)})) && undefined`,
    );
  }

  run<T>(expression: string): Promise<T> {
    return this.page.evaluate(expression);
  }

  async is(state: ClientStatus['state']): Promise<void> {
    await until(`the page is ${state}`, async () => (await this.status()).state === state);
  }
}

async function open(t: Test, browser: Browser, port: number, user: string) {
  const { page, context } = await browser.open(t, pageFor(`ws://127.0.0.1:${port}${pathOf(user)}`));
  const client = new PageClient(page);
  await until('the page has its connection', () => client.run('globalThis.test !== undefined'));
  return { client, context };
}

t.test('in Chromium', { timeout: 240_000 }, async (t: Test) => {
  const service = await startRealService(t);
  const relay = await startRelay(t, service.port);
  const browser = await startBrowser(t);

  await t.test('text and bytes pass in both directions, and receipts come', async (t) => {
    const { client } = await open(t, browser, relay.port, 'alice');
    await client.is('connected');
    await service.send('alice', 'grüße');
    await service.send('alice', Uint8Array.of(0, 255));
    await client.run(`test.connection.send('echo hello')`);
    await client.run('test.connection.send(Uint8Array.of(1, 2))');
    t.same(service.received('alice'), ['echo hello', Uint8Array.of(1, 2)]);
    t.match(await client.run(`test.connection.sendTo('nobody', 'hi')`), {
      user: 'nobody',
      status: 'offline',
    });
    t.match(await client.run(`test.connection.sendTo('alice', 'to myself')`), {
      user: 'alice',
      status: 'delivered',
      sessions: 1,
    });
    await until('everything has come', async () => (await client.seen()).data.length === 3);
    t.match(await client.seen(), { data: ['grüße', [0, 255], 'to myself'], replies: ['hello'] });
  });

  await t.test('a socket that is cut is resumed without loss', async (t) => {
    const { client } = await open(t, browser, relay.port, 'bob');
    const expected = Array.from({ length: 30 }, (_, i) => `message ${i}`);
    for (const [i, data] of expected.entries()) {
      if (i % 6 === 0) {
        await client.is('connected');
        relay.cut();
      }
      await service.send('bob', data);
      await client.send(data);
    }
    await client.run('Promise.all(sent)');
    await until('everything has come', async () => (await client.seen()).data.length >= expected.length);
    const { data, statuses } = await client.seen();
    t.same(data, expected);
    t.same(service.received('bob'), expected);
    const connected = statuses.filter((status) => status.state === 'connected');
    t.ok(connected.length > 3, `it was connected ${connected.length} times`);
    t.ok(
      connected.every(({ recovered }) => recovered),
      'nothing was lost',
    );
  });

  await t.test('a page that is offline comes back when it is online', async (t) => {
    const { client, context } = await open(t, browser, relay.port, 'carol');
    await client.is('connected');
    await context.setOffline(true);
    relay.cut();
    await service.send('carol', 'meanwhile');
    await client.send('meanwhile');
    await until(
      'it has failed',
      async () => (await client.seen()).statuses.filter(({ state }) => state === 'waiting').length > 2,
    );
    await context.setOffline(false);
    await client.run('Promise.all(sent)');
    await until('it has come', async () => (await client.seen()).data.length > 0);
    t.same((await client.seen()).data, ['meanwhile']);
    t.same(service.received('carol'), ['meanwhile']);
  });

  await t.test('an error of a callback goes to the page’s handler', async (t) => {
    const { client } = await open(t, browser, relay.port, 'dave');
    await client.is('connected');
    client.page.removeAllListeners('pageerror');
    const reported: string[] = [];
    client.page.on('pageerror', (error) => reported.push(error.message));
    await client.run(`test.seen.data.push = () => { throw new Error('no room'); }`);
    await service.send('dave', 'x');
    await until('it is reported', () => reported.length > 0);
    t.same(reported, ['no room']);
    t.equal((await client.status()).state, 'connected');
  });

  await t.test('close code 4500 ends it', async (t) => {
    const { client } = await open(t, browser, relay.port, 'erin');
    await client.is('connected');
    await service.close('erin', 4500, 'go away');
    await client.is('closed');
    t.same(await client.status(), { state: 'closed', code: 4500, reason: 'go away' });
  });

  await t.test('close ends the session', async (t) => {
    const { client } = await open(t, browser, relay.port, 'frank');
    await client.is('connected');
    await client.run('test.connection.close()');
    t.match(await client.status(), { state: 'closed', code: 1000 });
    await until('the server knows it', async () => !(await service.hasSession('frank')));
  });

  await t.test('the page of the README runs', async (t) => {
    const html = /```html\n(.*?)```/s.exec(readme)![1]!;
    const { page } = await browser.open(t, html.replace('127.0.0.1:8080', `127.0.0.1:${relay.port}`));
    await until('its message has come', () => service.received('alice').at(-1) === 'hello from a page');
    await service.send('alice', 'hello, page');
    await page.getByText('hello, page').waitFor();
    t.pass('and it shows what it gets');
  });
});
