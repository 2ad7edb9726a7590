import type { Command, Invocation } from '../command.js';
import { table } from '../output/output.js';
import { hasFailed, toPrint } from '../service/ask-each.js';
import { describeIgnored } from '../service/ignored-members.js';
import { askMovers, moversOf, stateOf } from '../service/migrations.js';
import type { AdminTarget } from '../service/nodes-of.js';
import { ringOptions, withRing } from '../service/open-ring.js';
import { options } from '../settings/options.js';
import { migrateWaitCommand } from './migrate-wait.js';

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
  migrateWaitCommand,
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
  return withRing(settings, async (ring) => {
    const movers = moversOf(settings, ring);
    const { ignored } = movers;
    const answers = await askMovers(movers, ask);
    const rows = answers.map((answer) => {
      if (hasFailed(answer)) return [answer.id, stateOf(answer), '', '', ''];
      const { id, usersPerSecond, waiting, moved } = answer;
      return [id, stateOf(answer), String(usersPerSecond), String(waiting), String(moved)];
    });
    const failures = answers.filter(hasFailed);
    const text = [
      table(['process', 'state', 'users/s', 'waiting', 'moved'], rows),
      ...failures.map(({ error }) => error),
      ...describeIgnored(ignored),
    ].join('\n');
    output.result({ migrations: answers.map(toPrint), ignored }, text);
    return failures.length + ignored.length > 0 ? 1 : 0;
  });
}
