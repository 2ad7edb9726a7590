import { startHttpServer } from '../../../../test/kit/http-server.js';
import type { Teardown, TestNodes } from './nodes.js';

/** A member of the ring that takes requests and never answers. */
export async function joinSilent(t: Teardown, nodes: TestNodes, id: string): Promise<void> {
  const port = await startHttpServer(t, () => {});
  nodes.membership.set({ id, port });
}
