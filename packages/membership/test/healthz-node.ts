import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describeRingSettings, ringSettings, ringSettingsDigest } from '@pinwheel/ring';
import type { Teardown } from '../../../test/kit/consul.js';
import type { Registration } from '../src/member/contract.js';

/** What a node shows of itself over HTTP, and nothing else of a node. */
export interface HealthzNode {
  readonly id: string;
  readonly port: number;
  draining: boolean;
  /** As a node before that field has none. */
  wsPort: number | undefined;
  /** `hang`: connections are accepted and nothing is answered. */
  mode: 'answers' | 'hang' | 'fails';
  readonly registration: Registration;
  /** As if the process had been killed: the port refuses. */
  kill(): Promise<void>;
}

let starts = 0;

export async function startHealthzNode(
  t: Teardown,
  id: string,
  { port = 0, virtualNodes = 512 }: { readonly port?: number; readonly virtualNodes?: number } = {},
): Promise<HealthzNode> {
  const settings = ringSettings({ virtualNodes });
  const incarnation = `${id}-${process.pid}-${++starts}`;
  const settingsDigest = ringSettingsDigest(settings);
  const settingsText = describeRingSettings(settings);
  const server = createServer((_request, response) => {
    if (node.mode === 'hang') return;
    response.statusCode = node.mode === 'fails' ? 503 : 200;
    const { draining, wsPort } = node;
    const status = draining ? 'draining' : 'ok';
    response.end(
      JSON.stringify({
        status,
        id,
        incarnation,
        draining,
        wsPort,
        settings: { digest: settingsDigest, text: settingsText },
      }),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const bound = (server.address() as AddressInfo).port;
  const node: HealthzNode = {
    id,
    port: bound,
    draining: false,
    wsPort: undefined,
    mode: 'answers',
    registration: {
      id,
      address: '127.0.0.1',
      port: bound,
      weight: 1,
      incarnation,
      settingsDigest,
      settingsText,
    },
    kill: () => end(server),
  };
  t.teardown(() => end(server));
  return node;
}

function end(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
