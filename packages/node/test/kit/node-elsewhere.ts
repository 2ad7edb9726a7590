import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Teardown } from './nodes.js';

interface Told {
  readonly id?: string;
  readonly incarnation?: string;
  readonly draining?: boolean;
}

/**
 * A server that says of itself that it is a node. Where it listens.
 *
 * @param asked called each time that it says so.
 */
export async function nodeElsewhere(
  t: Teardown,
  { id = 'n1', incarnation = 'another', draining = false }: Told = {},
  asked: () => void = () => {},
): Promise<number> {
  const server = createServer((_, response) => {
    asked();
    response.end(JSON.stringify({ id, incarnation, draining, settings: { digest: 'd', text: 't' } }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
