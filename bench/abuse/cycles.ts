import { pause } from '@pinwheel/bench/load/pause.js';
import { connectAndClose, endings } from './connect-and-close.js';
import { AbusedSite, type Upstream } from './site.js';

export interface CyclesFigures {
  readonly cyclesPerSecond: number;
  readonly descriptorsBefore: number;
  readonly descriptorsAfter: number;
  readonly megabytesAfterWarmUp: number;
  readonly megabytesAfter: number;
  /** Clients that the edge believes to have, and sessions that the node has, once all have ended. */
  readonly left: number;
}

const atATime = 40;
const users = 1000;
const addresses = 200;
/** Sessions of clients that are away are kept for 10 s, and V8 gives memory back when it has had nothing to do for a while. */
const settleMs = 20_000;

/** Has clients connect and end in every way, `count` times after `warmUp` times. */
export async function measureCycles(
  upstream: Upstream,
  count: number,
  warmUp: number,
): Promise<CyclesFigures> {
  const site = await AbusedSite.start(upstream);
  try {
    // what is opened once, as links are, is there before
    await run(site.edge.port, 10);
    await settled(site);
    const descriptorsBefore = site.descriptors();
    await run(site.edge.port, warmUp);
    await settled(site);
    const kbAfterWarmUp = site.residentKb();
    const since = performance.now();
    await run(site.edge.port, count);
    const seconds = (performance.now() - since) / 1000;
    await settled(site);
    return {
      cyclesPerSecond: count / seconds,
      descriptorsBefore,
      descriptorsAfter: site.descriptors(),
      megabytesAfterWarmUp: kbAfterWarmUp / 1024,
      megabytesAfter: site.residentKb() / 1024,
      left:
        (await site.edgeMetric('pinwheel_edge_connections')) +
        (await site.nodeMetric('pinwheel_node_sessions')),
    };
  } finally {
    await site.stop();
  }
}

async function run(port: number, count: number): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) {
      const i = next++;
      const ending = endings[i % endings.length]!;
      await connectAndClose(port, `user-${i % users}`, ending, `127.0.1.${1 + (i % addresses)}`);
    }
  };
  await Promise.all(Array.from({ length: atATime }, work));
}

async function settled(site: AbusedSite): Promise<void> {
  await pause(settleMs);
  await site.collectGarbage();
  await pause(1000);
}
