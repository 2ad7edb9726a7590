import { Child } from '../send/child.js';
import type { Nodes } from '../send/nodes.js';
import type { EdgeAnswer } from './edge-process.js';
import type { RunningProxy } from './proxy.js';

/** An edge of Pinwheel in a process of its own. */
export async function startEdge(
  upstream: 'link' | 'tunnel',
  nodes: Nodes,
  id: string,
): Promise<RunningProxy> {
  const child = await Child.start<'port' | 'collect', EdgeAnswer>(
    new URL('./edge-process.ts', import.meta.url),
    [id, upstream, nodes.path, String(nodes.pollMs)],
    ['--expose-gc', ...edgeFlags()],
  );
  const { port } = await child.ask('port');
  return {
    port,
    pids: [child.pid],
    async collect() {
      await child.ask('collect');
    },
    stop: () => child.stop(),
  };
}

/** `PINWHEEL_BENCH_EDGE_FLAGS=--cpu-prof` profiles the edge. */
function edgeFlags(): readonly string[] {
  return process.env['PINWHEEL_BENCH_EDGE_FLAGS']?.split(' ') ?? [];
}
