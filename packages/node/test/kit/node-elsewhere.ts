import { startHttpServer } from '../../../../test/kit/http-server.js';
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
export function nodeElsewhere(
  t: Teardown,
  { id = 'n1', incarnation = 'another', draining = false }: Told = {},
  asked: () => void = () => {},
): Promise<number> {
  return startHttpServer(t, (_, response) => {
    asked();
    response.end(JSON.stringify({ id, incarnation, draining, settings: { digest: 'd', text: 't' } }));
  });
}
