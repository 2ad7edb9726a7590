import { once } from 'node:events';
import { type InProcessMembership, inProcessMembership } from '@pinwheel/membership';
import { createNode, type NodeOptions, type PinwheelNode } from '@pinwheel/node';
import type { Test } from 'tap';
import { WebSocket } from 'ws';
import { until } from '../../../../test/kit/until.js';
import { createSender, type SenderOptions } from '../../src/index.js';

/** Joins and departures count soon, so that tests are quick. */
export const tracking = {
  joinQuietMs: 10,
  joinLongestMs: 50,
  vanishGraceMs: 20,
  reprobeMs: 10,
  probeTries: 1,
};

/** Closed with the test, as everything here. */
export async function startNode(
  t: Test,
  membership: InProcessMembership,
  id: string,
  options: Partial<NodeOptions> = {},
): Promise<PinwheelNode> {
  const node = await createNode({ id, membership, tracking, ...options });
  t.teardown(() => node.close());
  return node;
}

/** Nodes of one ring that agree on it. */
export async function startNodes(t: Test, ids: readonly string[]) {
  const membership = inProcessMembership();
  const nodes = await Promise.all(ids.map((id) => startNode(t, membership, id)));
  await until('the nodes agree', () =>
    nodes.every(({ tracker }) => tracker.current.ring.members.length === ids.length),
  );
  return { membership, nodes };
}

export async function startSender(t: Test, options: SenderOptions) {
  const sender = createSender(options);
  t.teardown(() => sender.close());
  await sender.ready();
  return sender;
}

/** Connects a user to its owner; the texts that it gets. */
export async function connect(
  t: Test,
  nodes: readonly PinwheelNode[],
  user: string,
): Promise<readonly string[]> {
  const owner = nodes.find(({ id, tracker }) => tracker.current.ring.owner(user) === id);
  const socket = new WebSocket(`ws://127.0.0.1:${owner?.wsPort}/?user=${encodeURIComponent(user)}`);
  const texts: string[] = [];
  socket.on('message', (data) => texts.push(data.toString()));
  t.teardown(() => socket.terminate());
  await once(socket, 'open');
  return texts;
}
