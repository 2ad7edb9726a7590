import type { Command } from './command.js';

/** Loads the commands whose name begins with a word. */
type Load = () => Promise<readonly Command[]>;

/** By the first word, in the order of the help. What one command runs on would make every other one start late. */
const loads: Readonly<Record<string, Load>> = {
  up: async () => [(await import('./commands/up.js')).upCommand],
  node: async () => [(await import('./commands/node.js')).nodeCommand],
  edge: async () => [(await import('./commands/edge.js')).edgeCommand],
  send: async () => [(await import('./commands/send.js')).sendCommand],
  listen: async () => [(await import('./commands/listen.js')).listenCommand],
  ring: async () => (await import('./commands/ring.js')).ringCommands,
  drain: async () => [(await import('./commands/drain.js')).drainCommand],
  migrate: async () => (await import('./commands/migrate.js')).migrateCommands,
  'api-key': async () => [(await import('./commands/api-key.js')).apiKeyCommand],
  bench: async () => [
    (await import('./commands/bench.js')).benchCommand,
    (await import('./commands/bench-model.js')).benchModelCommand,
  ],
};

/** What the commands of more than one word have in common. */
export const groups: Readonly<Record<string, string>> = {
  'api-key': 'keys for callers that are no processes of the service',
  ring: 'members and shares, who owns whom, what a change would move, the end of a freeze',
  migrate: 'the moves in progress and their pace',
};

/** Every command, in the order of the help. */
export async function allCommands(): Promise<readonly Command[]> {
  return (await Promise.all(Object.values(loads).map((load) => load()))).flat();
}

/** Those that a command line with that first word may mean; all of them when no command begins so. */
export async function commandsFor(first = ''): Promise<readonly Command[]> {
  return Object.hasOwn(loads, first) ? loads[first]!() : allCommands();
}
