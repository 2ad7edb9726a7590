import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { BlockList } from 'node:net';
import { isTrusted } from '../limits/client-address.js';

/** Longer than proxies keep a connection that waits for a next request. Those that read `keep-alive` end it before 5 s. */
const keptForMs = 600_000;

/**
 * Leaves it to trusted proxies to end the connections that they keep for later requests. node:http ends them after 5 s, and
 * what a proxy sends in that moment is lost: it cannot know whether it was read, and answers its client 502.
 */
export function keepForProxies(server: Server, trusted: BlockList | undefined): void {
  if (trusted === undefined) return;
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    if (!isTrusted(socket.remoteAddress ?? '', trusted)) return;
    // behind the listener of node:http, which sets its own time
    response.once('finish', () => socket.setTimeout(keptForMs));
  });
}
