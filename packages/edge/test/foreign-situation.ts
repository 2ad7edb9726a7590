import { inProcessMembership } from '@pinwheel/membership';
import { createEdge, type Edge, type EdgeOptions } from '../src/index.js';
import { type Backend, wsBackend } from './backends.js';
import { FakeTracker, foreign } from './fake-tracker.js';
import type { TestScope } from './test-scope.js';

/** One foreign backend behind an edge with tunnels. */
export async function foreignSituation(t: TestScope) {
  const backend = await wsBackend('a');
  const membership = inProcessMembership();
  membership.set({ id: 'a', port: backend.port, kind: 'foreign' });
  const edge = await createEdge({ id: 'e1', upstream: 'tunnel', membership });
  t.teardown(async () => {
    await edge.close();
    await backend.close();
    await membership.close();
  });
  return { backend, edge };
}

/** An edge with tunnels to this backend alone; both end with the test. */
export async function edgeBefore(
  t: TestScope,
  backend: Backend,
  options: Partial<EdgeOptions> = {},
): Promise<Edge> {
  const tracker = new FakeTracker([foreign('a', backend.port)]);
  const edge = await createEdge({ id: 'e1', upstream: 'tunnel', tracker, ...options });
  t.teardown(async () => {
    await edge.close();
    await backend.close();
  });
  return edge;
}
