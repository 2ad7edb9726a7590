import { createEdge, type EdgeOptions } from '@pinwheel/edge';
import { type InProcessMembership, inProcessMembership } from '@pinwheel/membership';
import { createNode, type PinwheelNode } from '@pinwheel/node';
import type { Teardown } from './consul.js';

export const fronts = ['link', 'tunnel', 'node'] as const;
/** Where clients connect: an edge with links, an edge with tunnels, or a node's own port. */
export type FrontKind = (typeof fronts)[number];

/** A port for clients with bounds, in front of an application that echoes. */
export interface LimitedFront {
  readonly kind: FrontKind;
  readonly port: number;
  /** How often clients were refused or closed at this bound. */
  reached(limit: string): Promise<number>;
  /** Status of its `/readyz`. */
  readyStatus(): Promise<number>;
}

export type Bounds = Partial<Omit<EdgeOptions, 'id' | 'tracker'>>;

/** So that many can be started in a test. */
const tracking = { joinQuietMs: 10, joinLongestMs: 100 };

/** It ends with the test. */
export async function startFront(t: Teardown, kind: FrontKind, bounds: Bounds): Promise<LimitedFront> {
  const membership = inProcessMembership();
  const node = await createNode({
    id: 'n1',
    membership,
    tracking,
    onMessage: ({ data, reply }) => void reply(data),
    ...(kind === 'node' ? bounds : {}),
  });
  t.teardown(async () => {
    await node.close();
    await membership.close();
  });
  await node.ready();
  return kind === 'node' ? nodeFront(node) : edgeFront(t, kind, membership, bounds);
}

function nodeFront({ port, wsPort }: PinwheelNode): LimitedFront {
  const at = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${port}${path}`);
  return {
    kind: 'node',
    port: wsPort,
    reached: async (limit) => countOf(await (await at('/metrics')).text(), 'node', limit),
    readyStatus: async () => (await at('/readyz')).status,
  };
}

async function edgeFront(
  t: Teardown,
  upstream: 'link' | 'tunnel',
  membership: InProcessMembership,
  bounds: Bounds,
): Promise<LimitedFront> {
  const options: Bounds = { upstream, adminPort: 0, ...bounds };
  const edge = await createEdge({ id: 'e1', membership, tracking, ...options });
  t.teardown(() => edge.close());
  return {
    kind: upstream,
    port: edge.port,
    reached: async (limit) => countOf(await edge.metrics(), 'edge', limit),
    readyStatus: async () => (await fetch(`http://127.0.0.1:${edge.adminPort}/readyz`)).status,
  };
}

function countOf(metrics: string, process: 'node' | 'edge', limit: string): number {
  const line = new RegExp(`^pinwheel_${process}_limits_reached_total\\{limit="${limit}"\\} (\\d+)$`, 'm');
  const found = line.exec(metrics);
  if (found === null) throw new Error(`no limit ${limit} is measured`);
  return Number(found[1]);
}
