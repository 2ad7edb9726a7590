import { inProcessMembership } from '@pinwheel/membership';
import { createEdge } from '../src/index.js';
import { wsBackend } from './backends.js';
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
