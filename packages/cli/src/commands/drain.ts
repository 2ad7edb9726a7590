import { performance } from 'node:perf_hooks';
import { PinwheelError } from '@pinwheel/protocol';
import type { Command, Invocation } from '../command.js';
import { onChange } from '../output/on-change.js';
import { counted, type Output } from '../output/output.js';
import { describeIgnored, ignoredBy, refuseAllIgnored } from '../service/ignored-members.js';
import { type AdminTarget, nodesOf } from '../service/nodes-of.js';
import { type OpenRing, ringOptions, withRing } from '../service/open-ring.js';
import { options } from '../settings/options.js';

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
    const leftOut = describeIgnored(ignoredBy(ring.tracker));
    throw new PinwheelError(
      'bad-option',
      [`there is no node ${id}`, `nodes: ${known}`, ...leftOut].join('; '),
    );
  }
  const start = performance.now();
  const { incarnation } = ring.state.members.get(id)!;
  const before = (await node.post('/v1/drain')) as Progress;
  const timeoutMs = settings.number(options.timeoutMs) ?? defaultTimeoutMs;
  const end = await untilGone(node, ring, { incarnation, deadline: start + timeoutMs, before }, output);
  if (end.why !== undefined) {
    throw new PinwheelError('deadline', `${id} has not left after ${timeoutMs} ms: ${end.why}`);
  }
  const hasHeirs = ring.tracker.current.ring.members.some((member) => member.id !== id);
  if (end.left > 0 && hasHeirs) {
    const left = counted(end.left, 'user');
    const why = 'it died, or its time to drain was over';
    throw new PinwheelError('unavailable', `${id} is gone and had ${left} when it was last asked: ${why}`);
  }
  const ms = Math.round(performance.now() - start);
  const { users } = before;
  const { moved } = end;
  output.result(
    { node: id, users, moved, seconds: ms / 1000 },
    `${id} has left: ${hasHeirs ? `${sentOn(users, moved)} in ${(ms / 1000).toFixed(1)} s` : noHeir(users)}`,
  );
  return 0;
}

/** Some may have gone by themselves meanwhile, and others have come. */
function sentOn(users: number, moved: number): string {
  return moved < users
    ? `${moved} of ${counted(users, 'user')} sent on`
    : `${counted(moved, 'user')} sent on`;
}

function noHeir(users: number): string {
  if (users === 0) return 'it was the last node';
  return `it was the last node, and its ${counted(users, 'user')} ${users === 1 ? 'has' : 'have'} no node now`;
}

interface Draining {
  /** Of the process; one that is started in its place, as a supervisor does it, has another. */
  readonly incarnation: string | undefined;
  readonly deadline: number;
  readonly before: Progress;
}

interface DrainEnd {
  /** Users that it had when it was last asked. */
  readonly left: number;
  /** Users that others have taken since it was told to drain, as it said last. */
  readonly moved: number;
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
  { incarnation, deadline, before }: Draining,
  output: Output,
): Promise<DrainEnd> {
  let { users: left, moved } = before;
  const end = (): DrainEnd => ({ left, moved: moved - before.moved });
  const tell = onChange(output.progress);
  const tellPaused = onChange((text) => {
    if (text !== '') output.step(text);
  });
  tellPaused(pausedText(node.id, before.paused));
  for (;;) {
    let why: string;
    const now = tracker.current.members.get(node.id)?.incarnation;
    if (incarnation !== undefined && now !== undefined && now !== incarnation) return end();
    try {
      const said = (await node.get('/v1/migrations')) as Progress;
      ({ users: left, moved } = said);
      tellPaused(pausedText(node.id, said.paused));
      tell(`${node.id}: ${counted(left, 'user')} left, ${moved - before.moved} sent on`);
      const next = said.paused ? 'its moves are paused: pinwheel migrate resume' : 'it goes on draining';
      why = `it still has ${counted(left, 'user')}; ${next}`;
    } catch (thrown) {
      if (isRefused(thrown) || !tracker.current.members.has(node.id)) return end();
      why = PinwheelError.from(thrown).message;
    }
    if (performance.now() >= deadline) return { ...end(), why };
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

/** Whoever waits for the drain would wait in vain until then. */
function pausedText(id: string, paused: boolean): string {
  if (!paused) return '';
  return `${id}: its moves are paused; let them go with pinwheel migrate resume, or who is left goes near the end of its time (--drain-ms)`;
}

function isRefused(thrown: unknown): boolean {
  const { cause } = thrown as { readonly cause?: { readonly code?: string } };
  return cause?.code === 'ECONNREFUSED';
}
