import { freePort } from '@pinwheel/bench/load/free-ports.js';
import { startHaproxy } from './haproxy.js';
import { startNginx } from './nginx.js';
import type { Nodes } from './nodes.js';
import { startPinwheelProgram } from './pinwheel-program.js';

/** What stands between clients and nodes; `direct`: nothing does. */
export type Contender = 'link' | 'tunnel' | 'haproxy' | 'nginx' | 'direct';

/** Takes WebSockets at `/ws?user=` and brings them to a node, always the same one for a user. */
export interface RunningProxy {
  readonly port: number;
  /** Of all its processes. */
  readonly pids: readonly number[];
  /** Gives back what memory it can. */
  collect(): Promise<void>;
  stop(): void;
}

/** @param id of the edge, if it is one. */
export function startProxy(contender: Contender, nodes: Nodes, id = 'e1'): Promise<RunningProxy> | undefined {
  switch (contender) {
    case 'link':
    case 'tunnel':
      return startEdge(contender, nodes, id);
    case 'haproxy':
      return startHaproxy(nodes);
    case 'nginx':
      return startNginx(nodes);
    case 'direct':
      return undefined;
    default:
      throw new RangeError(`the contender is ${contender satisfies never}`);
  }
}

async function startEdge(upstream: string, nodes: Nodes, id: string): Promise<RunningProxy> {
  const port = await freePort();
  const words = ['edge', '--id', id, '--upstream', upstream, '--membership', nodes.url];
  return startPinwheelProgram(words, port!);
}
