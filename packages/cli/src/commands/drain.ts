import { PinwheelError } from '@pinwheel/protocol';
import type { Command, Invocation } from '../command.js';
import { type AdminTarget, nodesOf } from '../nodes-of.js';
import { type OpenRing, ringOptions, withRing } from '../open-ring.js';
import { options } from '../options.js';
import { counted, type Output } from '../output.js';

const pollMs = 200;
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

async function drain(
  { settings, words, output }: Invocation,
  { state, credentials }: OpenRing,
): Promise<number> {
  const [id] = words as [string];
  const nodes = nodesOf(state, credentials);
  const node = nodes.find((one) => one.id === id);
  if (node === undefined) {
    const known = nodes.map((one) => one.id).join(', ') || 'none';
    throw new PinwheelError('bad-option', `there is no node ${id}; nodes: ${known}`);
  }
  const start = Date.now();
  const before = (await node.post('/v1/drain')) as Progress;
  const timeoutMs = settings.number(options.timeoutMs) ?? defaultTimeoutMs;
  const last = await untilGone(node, start + timeoutMs, output);
  if (last !== undefined) {
    throw new PinwheelError(
      'deadline',
      `${id} still has ${counted(last.users, 'user')} after ${timeoutMs} ms; ${last.paused ? 'its moves are paused: pinwheel migrate resume' : 'it goes on draining'}`,
    );
  }
  const seconds = (Date.now() - start) / 1000;
  output.result(
    { node: id, users: before.users, seconds },
    `${id} has left: ${counted(before.users, 'user')} sent on in ${seconds.toFixed(1)} s`,
  );
  return 0;
}

/** `undefined` once the node answers no more, else its progress at the deadline. */
async function untilGone(node: AdminTarget, deadline: number, output: Output): Promise<Progress | undefined> {
  for (;;) {
    let progress: Progress;
    try {
      progress = (await node.get('/v1/migrations')) as Progress;
    } catch {
      return undefined;
    }
    output.progress(`${node.id}: ${counted(progress.users, 'user')} left, ${progress.moved} sent on`);
    if (Date.now() >= deadline) return progress;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}
