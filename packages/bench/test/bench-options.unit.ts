import t from 'tap';
import { type BenchOptions, checkBenchOptions } from '../src/run/bench-options.js';

const command = ['node', 'pinwheel.js'] as const;

t.test('options have defaults, and the order of reports', async (t) => {
  const checked = checkBenchOptions({ command, strategies: ['broadcast', 'ring', 'ring'] });
  t.same(checked.strategies, ['ring', 'broadcast']);
  t.same(checked.nodeCounts, [3, 5, 10]);
  t.equal(checked.rounds, 3);
  t.same(checkBenchOptions({ command, nodeCounts: [3, 5, 3] }).nodeCounts, [3, 5]);
  t.same(checkBenchOptions({ command, phases: ['kill', 'steady'] }).phases, ['steady', 'kill']);
});

t.test('each bad option is refused with its name, its value and its bounds', async (t) => {
  const cases: readonly (readonly [Partial<BenchOptions>, RegExp])[] = [
    [{ nodeCounts: [] }, /nodes is empty/],
    [{ nodeCounts: [0] }, /nodes is 0; it must be a whole number between 1 and 64/],
    [{ nodeCounts: [3, 65] }, /nodes is 65/],
    [{ nodeCounts: [1] }, /nodes is 1; it must be at least 2 for join, drain, kill: one has to be left/],
    [{ nodeCounts: [3, 2], phases: ['drain', 'kill'] }, /nodes is 2; it must be at least 3 for drain, kill/],
    [{ users: 0 }, /users is 0; it must be a whole number between 1 and 200000/],
    [{ rate: 1.5 }, /rate is 1.5/],
    [{ payloadBytes: 7 }, /payload is 7; it must be a whole number between 8 and 65000/],
    [{ rounds: 0 }, /rounds is 0/],
    [{ steadySeconds: 0 }, /steady-seconds is 0/],
    [{ saturationSeconds: 601 }, /saturation-seconds is 601/],
    [{ changeSeconds: 2 }, /change-seconds is 2; it must be a whole number between 3 and 600/],
    [{ outstanding: 0 }, /outstanding is 0/],
    [{ edges: 17 }, /edges is 17/],
    [{ strategies: [] }, /strategies is empty; known: ring, registry, broadcast, broadcast-unbatched/],
    [{ strategies: ['gossip' as 'ring'] }, /strategies has "gossip"; known: ring/],
    [{ phases: ['rest' as 'join'] }, /phases has "rest"; known: steady/],
  ];
  for (const [options, message] of cases) {
    t.throws(() => checkBenchOptions({ command, ...options }), { code: 'bad-option', message });
  }
  t.equal(checkBenchOptions({ command, nodeCounts: [1], phases: ['steady'] }).nodeCounts[0], 1);
});
