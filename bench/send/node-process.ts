import { staticMembership } from '@pinwheel/membership';
import { createNode } from '@pinwheel/node';
import { KeyRing } from '@pinwheel/trust';

export interface NodeStatus {
  readonly sessions: number;
  readonly ringMembers: readonly string[];
  readonly cpuMicros: number;
}

export type NodeQuestion = 'status' | 'drain';

const [path, id, port, wsPort, usersPerSecond, keys] = process.argv.slice(2);
const node = await createNode({
  id: id!,
  port: Number(port),
  wsPort: Number(wsPort),
  usersPerSecond: Number(usersPerSecond),
  ...(keys === undefined ? {} : { keys: { current: KeyRing.parse(keys) } }),
  membership: staticMembership(path!, { pollMs: 100 }),
});

process.on('message', (question: NodeQuestion) => {
  if (question === 'drain') void node.drain();
  const { user, system } = process.cpuUsage();
  const ringMembers = node.tracker.current.ring.members.map((member) => member.id);
  process.send?.({ sessions: node.sessions, ringMembers, cpuMicros: user + system } satisfies NodeStatus);
});
process.once('disconnect', () => process.exit());
process.send?.('started');
