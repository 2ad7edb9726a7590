import { readFile } from 'node:fs/promises';
import { join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import type { Test } from 'tap';
import { startHttpServer } from '../../../../test/kit/http-server.js';
import { toolPath } from '../../../../test/tools/fetch.js';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const served = /^\/node_modules\/@pinwheel\/(client|protocol)\/dist\/[\w/-]+\.js$/;

export interface Browser {
  /**
   * Opens a page of this HTML in a context of its own, which has the packages under `/node_modules/`. Both end with the
   * test, which fails when the page throws.
   */
  open(t: Test, html: string): Promise<{ readonly page: Page; readonly context: BrowserContext }>;
}

/** A real Chromium, and a server of pages for it. */
export async function startBrowser(t: Test): Promise<Browser> {
  const pages = await servePages(t);
  const browser = await chromium.launch({
    executablePath: toolPath('chromium'),
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
  t.teardown(() => browser.close());
  return {
    open: async (t, html) => {
      const context = await browser.newContext();
      t.teardown(() => context.close());
      const page = await context.newPage();
      page.on('pageerror', (error) => t.fail(`the page: ${error.message}`));
      await page.goto(pages.add(html));
      return { page, context };
    },
  };
}

async function servePages(t: Test): Promise<{ add(html: string): string }> {
  const pages: string[] = [];
  const port = await startHttpServer(t, (request, response) => {
    const { pathname } = new URL(request.url!, 'http://pages');
    const html = pages[Number(pathname.slice(1))];
    if (html !== undefined) {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(html);
    } else if (served.test(pathname)) {
      readFile(join(root, normalize(pathname))).then(
        (text) => response.writeHead(200, { 'content-type': 'text/javascript; charset=utf-8' }).end(text),
        () => response.writeHead(404).end(),
      );
    } else {
      response.writeHead(404).end();
    }
  });
  return {
    add: (html) => `http://127.0.0.1:${port}/${pages.push(html) - 1}`,
  };
}
