import type { RequestListener } from 'node:http';
import { PinwheelError } from '@pinwheel/protocol';
import t, { type Test } from 'tap';
import { startHttpServer } from '../../../test/kit/http-server.js';
import { LinkDialer } from '../src/link-sockets/link-dialer.js';
import { member } from './link-world.js';

/** What is told of a link to a server that answers so. */
async function toldOf(t: Test, answer: RequestListener): Promise<string | undefined> {
  const port = await startHttpServer(t, answer);
  return new Promise((closed) => {
    new LinkDialer().dial({ ...member('n1'), port }, { opened: () => {}, received: () => {}, closed });
  });
}

t.test('a node that refuses a link says why, and the edge tells it on', async (t) => {
  const error = new PinwheelError('not-authenticated', 'do the clocks of both machines agree?');
  const rows: readonly (readonly [string, RequestListener, string])[] = [
    [
      'with a reason',
      (_, response) => response.writeHead(401).end(JSON.stringify(error)),
      'the node answered 401: do the clocks of both machines agree?',
    ],
    ['with a page', (_, response) => response.writeHead(502).end('<html>'), 'the node answered 502'],
    [
      'with another object',
      (_, response) => response.writeHead(503).end('{"error":{"message":7}}'),
      'the node answered 503',
    ],
    [
      'with no end',
      (_, response) => {
        const more = (): boolean => response.write('x'.repeat(1000));
        response.writeHead(500).on('drain', more);
        for (let i = 0; i < 5; i++) more();
      },
      'the node answered 500',
    ],
    [
      'and breaks off',
      (_, response) => response.writeHead(401).write('{', () => response.destroy()),
      'the node answered 401',
    ],
  ];
  for (const [how, answer, told] of rows) t.equal(await toldOf(t, answer), told, how);
});
