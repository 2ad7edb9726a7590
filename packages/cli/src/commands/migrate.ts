import { PinwheelError } from '@pinwheel/protocol';
import { askEach, hasFailed, toPrint } from '../ask-each.js';
import type { Command, Invocation } from '../command.js';
import { type AdminTarget, edgeTarget, nodesOf } from '../nodes-of.js';
import { ringOptions, withRing } from '../open-ring.js';
import { options } from '../options.js';
import { table } from '../output.js';

interface Migration {
  readonly paused: boolean;
  readonly usersPerSecond: number;
  readonly waiting: number;
  readonly moved: number;
}

export const migrateCommands: readonly Command[] = [
  migrate('status', 'who still has to move, and how fast they go', (target) => target.get('/v1/migrations')),
  migrate('pause', 'nobody is moved until resume', (target) =>
    target.post('/v1/migrations', { paused: true }),
  ),
  migrate('resume', 'the moves go on, at --users-per-second if given', (target, usersPerSecond) =>
    target.post('/v1/migrations', {
      paused: false,
      ...(usersPerSecond === undefined ? {} : { usersPerSecond }),
    }),
  ),
];

function migrate(
  name: string,
  summary: string,
  ask: (target: AdminTarget, usersPerSecond: number | undefined) => Promise<unknown>,
): Command {
  const pace =
    name === 'resume' ? [{ ...options.usersPerSecond, fallback: 'as it is', onlyFlag: true } as const] : [];
  return {
    name: `migrate ${name}`,
    summary,
    options: [...ringOptions, options.edge, ...pace, options.json],
    run: (invocation) =>
      askAll(invocation, (target) =>
        ask(target, pace.length === 0 ? undefined : invocation.settings.number(options.usersPerSecond)),
      ),
  };
}

function askAll(
  { settings, output }: Invocation,
  ask: (target: AdminTarget) => Promise<unknown>,
): Promise<number> {
  return withRing(settings, async ({ state, credentials }) => {
    const edges = (settings.texts(options.edge) ?? []).map((url) => edgeTarget(url, credentials));
    const targets = [...nodesOf(state, credentials), ...edges];
    if (targets.length === 0)
      throw new PinwheelError(
        'unavailable',
        'nobody was asked: no Pinwheel node is there; users of foreign backends are moved by edges, name the admin port of each with --edge http://host:port',
      );
    const answers = await askEach(targets, async (target) => (await ask(target)) as Migration);
    const rows = answers.map((answer) => {
      if (hasFailed(answer)) return [answer.id, 'not reached', '', '', ''];
      const { id, paused, usersPerSecond, waiting, moved } = answer;
      return [id, paused ? 'paused' : 'running', String(usersPerSecond), String(waiting), String(moved)];
    });
    const failures = answers.filter(hasFailed);
    const text = [
      table(['process', 'state', 'users/s', 'waiting', 'moved'], rows),
      ...failures.map(({ error }) => error),
    ].join('\n');
    output.result({ migrations: answers.map(toPrint) }, text);
    return failures.length > 0 ? 1 : 0;
  });
}
