import type { ChaosNode, Service } from './service.js';

/** Something that happens to the service. Resolves with what happened, or `undefined` when it could not now. */
export type ChaosEvent = (service: Service, random: () => number) => Promise<string | undefined>;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const fewestNodes = 3;
const mostNodes = 5;

function pick<T>(all: readonly T[], random: () => number): T {
  return all[Math.floor(random() * all.length)]!;
}

/** A live node, when enough others are left. */
function spareNode({ liveNodes }: Service, random: () => number): ChaosNode | undefined {
  return liveNodes.length > fewestNodes - 1 ? pick(liveNodes, random) : undefined;
}

/** By what happens in the world. An edge that dies is not among them: it takes with it what it had not passed on. */
export const events: Readonly<Record<string, ChaosEvent>> = {
  'a node joins': async (service) => {
    if (service.liveNodes.length >= mostNodes) return undefined;
    return (await service.startNode()).id;
  },
  'a node drains': async (service, random) => {
    const node = spareNode(service, random);
    if (node === undefined) return undefined;
    node.state = 'going';
    node.process.signal('SIGTERM');
    return node.id;
  },
  'a node dies': async (service, random) => {
    const node = spareNode(service, random);
    if (node === undefined) return undefined;
    node.state = 'going';
    node.process.signal('SIGKILL');
    return node.id;
  },
  'a node dies and comes back under its id': async (service, random) => {
    const node = spareNode(service, random);
    if (node === undefined) return undefined;
    node.state = 'going';
    node.process.signal('SIGKILL');
    await node.process.exit;
    await pause(random() * 2000);
    await service.startNode(node.id);
    return node.id;
  },
  'a node stands still and wakes up': async (service, random) => {
    const node = spareNode(service, random);
    if (node === undefined) return undefined;
    const ms = Math.round(300 + random() * 9000);
    node.state = 'stopped';
    node.process.signal('SIGSTOP');
    setTimeout(() => {
      node.process.signal('SIGCONT');
      node.state = 'live';
    }, ms);
    return `${node.id} for ${ms} ms`;
  },
  'moves are paused and resumed': async (service, random) => {
    const node = pick(service.liveNodes, random);
    const set = (paused: boolean) =>
      fetch(`http://127.0.0.1:${node.process.facts.port}/v1/migrations`, {
        method: 'POST',
        body: JSON.stringify({ paused }),
      });
    await set(true);
    // it may have gone meanwhile
    setTimeout(() => void set(false).catch(() => {}), 1000 + random() * 4000);
    return node.id;
  },
  'a node joins and leaves again': async (service, random) => {
    if (service.liveNodes.length >= mostNodes) return undefined;
    const node = await service.startNode();
    await pause(random() * 1500);
    node.state = 'going';
    node.process.signal('SIGTERM');
    return node.id;
  },
  'an edge drains and another one comes': async (service, random) => {
    if (service.liveEdges.length < 2) return undefined;
    const edge = pick(service.liveEdges, random);
    await service.startEdge();
    edge.state = 'going';
    edge.process.signal('SIGTERM');
    return edge.process.facts.id;
  },
  'Consul stands still': async ({ consul }, random) => {
    await consul.pause();
    await pause(1000 + random() * 4000);
    consul.resume();
    return 'and goes on';
  },
  'Consul comes back without its data': async ({ consul }, random) => {
    await consul.stop();
    await pause(random() * 2000);
    await consul.start();
    return 'empty';
  },
};
