import { performance } from 'node:perf_hooks';
import { PinwheelError } from '@pinwheel/protocol';
import type { Command, Invocation } from '../command.js';
import { describeIgnored, ignoredBy, refuseAllIgnored } from '../ignored-members.js';
import { type AdminTarget, nodesOf } from '../nodes-of.js';
import { type OpenRing, ringOptions, withRing } from '../open-ring.js';
import { options } from '../options.js';
import { counted, type Output } from '../output.js';

/** A node that has sent everybody on is there for 0.3 s more. */
const pollMs = 100;
const defaultTimeoutMs = 120_000;

export const drainCommand: Command = {
  name: 'drain',
  words: ['NODE'],
  summary: 'has a node send its users on and leave; waits until it is gone',
  options: [...ringOptions, options.timeoutMs, options.json],
  run: (invocation) => withRing(invocation.settings, (ring) => drain(invocation, ring)),
};

interface Progress {
  readonly users: number;
  readonly moved: number;
  readonly paused: boolean;
}

async function drain({ settings, words, output }: Invocation, ring: OpenRing): Promise<number> {
  const [id] = words as [string];
  const nodes = nodesOf(ring.state, ring.credentials);
  const node = nodes.find((one) => one.id === id);
  if (node === undefined) {
    if (ring.state.members.get(id)?.kind === 'foreign')
      throw new PinwheelError(
        'bad-option',
        `${id} is a foreign backend; it drains when its Meta in Consul says "pinwheel-draining": "true"`,
      );
    refuseAllIgnored(ring.tracker);
    const known = nodes.map((one) => one.id).join(', ') || 'none';
    const ignored = ignoredBy(ring.tracker);
    const leftOut = ignored.length === 0 ? '' : `; ${describeIgnored(ignored)}`;
    throw new PinwheelError('bad-option', `there is no node ${id}; nodes: ${known}${leftOut}`);
  }
  const start = performance.now();
  const { incarnation } = ring.state.members.get(id)!;
  const before = (await node.post('/v1/drain')) as Progress;
  const timeoutMs = settings.number(options.timeoutMs) ?? defaultTimeoutMs;
  const end = await untilGone(
    node,
    ring,
    { incarnation, deadline: start + timeoutMs, users: before.users },
    output,
  );
  if (end.why !== undefined) {
    throw new PinwheelError('deadline', `${id} has not left after ${timeoutMs} ms: ${end.why}`);
  }
  const hasHeirs = ring.tracker.current.ring.members.some((member) => member.id !== id);
  if (end.left > 0 && hasHeirs) {
    const left = counted(end.left, 'user');
    const why = 'it died, or its time to drain was over';
    throw new PinwheelError('unavailable', `${id} is gone and had ${left} when it was last asked: ${why}`);
  }
  const seconds = (performance.now() - start) / 1000;
  output.result(
    { node: id, users: before.users, seconds },
    `${id} has left: ${counted(before.users, 'user')} sent on in ${seconds.toFixed(1)} s`,
  );
  return 0;
}

interface Draining {
  /** Of the process; one that is started in its place, as a supervisor does it, has another. */
  readonly incarnation: string | undefined;
  readonly deadline: number;
  readonly users: number;
}

interface DrainEnd {
  /** Users that it had when it was last asked. */
  readonly left: number;
  /** Why it is not gone at the deadline, as far as that is known. */
  readonly why?: string;
}

/**
 * Resolves once the node is gone: nobody listens where it was, or it is not among the members any more; or at the
 * deadline. One that does not answer a question may be busy.
 */
async function untilGone(
  node: AdminTarget,
  { tracker }: OpenRing,
  { incarnation, deadline, users: before }: Draining,
  output: Output,
): Promise<DrainEnd> {
  let left = before;
  for (;;) {
    let why: string;
    const now = tracker.current.members.get(node.id)?.incarnation;
    if (incarnation !== undefined && now !== undefined && now !== incarnation) return { left };
    try {
      const { users, moved, paused } = (await node.get('/v1/migrations')) as Progress;
      left = users;
      output.progress(`${node.id}: ${counted(users, 'user')} left, ${moved} sent on`);
      const next = paused ? 'its moves are paused: pinwheel migrate resume' : 'it goes on draining';
      why = `it still has ${counted(users, 'user')}; ${next}`;
    } catch (thrown) {
      if (isRefused(thrown) || !tracker.current.members.has(node.id)) return { left };
      why = PinwheelError.from(thrown).message;
    }
    if (performance.now() >= deadline) return { left, why };
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

function isRefused(thrown: unknown): boolean {
  const { cause } = thrown as { readonly cause?: { readonly code?: string } };
  return cause?.code === 'ECONNREFUSED';
}
