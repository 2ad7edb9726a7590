import type { IncomingMessage } from 'node:http';
import { type Refusal, refusal } from './refusal.js';

/** Header lines of a request. The same as uWebSockets.js has, for edges with links. */
export const maxHeaderLines = 100;

/**
 * What every request must have, whatever it asks for: one `host`, which HTTP/1.0 may leave out, and no more headers than
 * are read.
 *
 * @returns why it is refused, or `undefined`.
 */
export function checkHead({ rawHeaders, httpVersion }: IncomingMessage): Refusal | undefined {
  const lines = rawHeaders.length / 2;
  if (lines > maxHeaderLines) {
    return refusal(
      431,
      'head-too-large',
      `there are more than ${maxHeaderLines} headers, the most that are taken`,
    );
  }
  const names = rawHeaders.filter((_, i) => i % 2 === 0);
  const hosts = names.filter((name) => name.toLowerCase() === 'host').length;
  if (hosts === 1 || (hosts === 0 && httpVersion === '1.0')) return undefined;
  return refusal(400, 'bad-request', `the header host is there ${hosts} times; it must be there once`);
}
