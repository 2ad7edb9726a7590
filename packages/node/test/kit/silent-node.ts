import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Teardown, TestNodes } from './nodes.js';

/** A member of the ring that takes requests and never answers. */
export async function joinSilent(t: Teardown, nodes: TestNodes, id: string): Promise<void> {
  const server = createServer(() => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  nodes.membership.set({ id, port: (server.address() as AddressInfo).port });
}
