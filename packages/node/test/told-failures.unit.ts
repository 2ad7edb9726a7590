import t from 'tap';
import { ToldFailures } from '../src/api/told-failures.js';

/** What is told of nodes, in turn. */
function recorded() {
  const said: string[] = [];
  let now = 0;
  const log = {
    info: ({ member }: { member?: string }) => said.push(`${member} again`),
    warn: ({ member, reason }: { member?: string; reason?: string }) => said.push(`${member}: ${reason}`),
    error: () => said.push('error'),
  };
  const failures = new ToldFailures(log, () => now);
  return { failures, said, pass: (ms: number) => (now += ms) };
}

t.test('calls that fail and are answered in turn do not fill the log', async (t) => {
  const { failures, said, pass } = recorded();
  for (let i = 0; i < 1000; i++) {
    failures.failed('x', new Error('late'));
    failures.answered('x');
    pass(1);
  }
  t.same(said, ['x: late', 'x again']);
  failures.failed('y', new Error('gone'));
  t.equal(said.at(-1), 'y: gone', 'each node is told of');
  pass(10_000);
  failures.failed('x', new Error('late again'));
  failures.failed('x', new Error('and again'));
  failures.answered('x');
  t.same(said.slice(3), ['x: late again', 'x again']);
});

t.test('those that are remembered have a bound', async (t) => {
  const { failures, said } = recorded();
  for (let i = 0; i < 1000; i++) failures.failed(`n${i}`, new Error('gone'));
  failures.failed('n0', new Error('gone'));
  t.equal(said.length, 1000);
  failures.failed('one more', new Error('gone'));
  failures.failed('n0', new Error('gone'));
  t.equal(said.length, 1002);
});
