import t from 'tap';
import { readComparison } from '../src/report/read-comparison.js';
import { fixtureComparison } from './kit/fixture.js';
import { refusal } from './kit/refusal.js';

type Json = Record<string, unknown>;

/** The fixture as JSON, with one field set, by its path; `undefined` leaves the field out. */
function changed(path: string, value: unknown): unknown {
  const json = JSON.parse(JSON.stringify(fixtureComparison({ rounds: 1, nodeCounts: [3] })));
  const names = path.split('.');
  const last = names.pop()!;
  const place = names.reduce<Json>((at, name) => at[name] as Json, json);
  if (value === undefined) delete place[last];
  else place[last] = value;
  return json;
}

t.test('a comparison comes back from JSON as it was', async (t) => {
  const comparison = fixtureComparison();
  t.same(readComparison(JSON.parse(JSON.stringify(comparison))), comparison);
});

t.test('what is not known is left out', async (t) => {
  const read = readComparison(changed('conditions.later', 1));
  t.notOk('later' in read.conditions);
  t.notOk(Object.hasOwn(readComparison(changed('extra', [])), 'extra'));
});

t.test('each bad field is refused with its name, its value and what it must be', async (t) => {
  // run 0 is steady, run 2 is a join
  const cases: readonly (readonly [path: string, value: unknown, message: string])[] = [
    ['conditions', 5, 'conditions is 5; it must be an object'],
    ['conditions', undefined, 'conditions is missing'],
    ['runs', {}, 'runs is {}; it must be a list'],
    ['runs.0', null, 'runs[0] is null; it must be an object'],
    [
      'runs.0.strategy',
      'rings',
      'runs[0].strategy is "rings"; it must be one of ring, registry, broadcast, ',
    ],
    [
      'runs.0.phase',
      'fast',
      'runs[0].phase is "fast"; it must be one of steady, saturation, join, drain, kill',
    ],
    ['runs.0.nodes', 0, 'runs[0].nodes is 0; it must be a whole number between 1 and 100000'],
    ['runs.0.round', 1.5, 'runs[0].round is 1.5; it must be a whole number between 1 and 1000'],
    ['runs.0.sent', '9', 'runs[0].sent is "9"; it must be a whole number between 0 and '],
    ['runs.0.delivered', -1, 'runs[0].delivered is -1; it must be a whole number between 0 and '],
    ['runs.0.lost', undefined, 'runs[0].lost is missing'],
    ['runs.0.duplicated', null, 'runs[0].duplicated is null; it must be'],
    ['runs.0.refused', true, 'runs[0].refused is true; it must be'],
    ['runs.0.deliveriesPerSecond', [], 'runs[0].deliveriesPerSecond is []; it must be a number'],
    ['runs.0.messagesBetweenProcesses', -2, 'runs[0].messagesBetweenProcesses is -2; it must be'],
    ['runs.0.bytesBetweenProcesses', 'x', 'runs[0].bytesBetweenProcesses is "x"; it must be'],
    ['runs.0.cpuMicrosPerDelivery', 4, 'runs[0].cpuMicrosPerDelivery is 4; it must be an object'],
    ['runs.0.cpuMicrosPerDelivery.total', undefined, 'runs[0].cpuMicrosPerDelivery.total is missing'],
    ['runs.0.cpuMicrosPerDelivery.queue', 'a', 'runs[0].cpuMicrosPerDelivery.queue is "a"; it must be'],
    ['runs.0.latencyMs.p999', null, 'runs[0].latencyMs.p999 is null; it must be a number between 0 and '],
    ['runs.0.latencyCurve.1', [1], 'runs[0].latencyCurve[1] is [1]; it must be a pair [share, ms]'],
    [
      'runs.0.latencyCurve.1.0',
      1.2,
      'runs[0].latencyCurve[1][0] is 1.2; it must be a number between 0 and 1',
    ],
    [
      'runs.0.latencyCurve.2.0',
      0.1,
      'runs[0].latencyCurve[2][0] is 0.1; it must be a number between 0.25 and 1',
    ],
    ['runs.0.memoryBytes.nodes', 'lots', 'runs[0].memoryBytes.nodes is "lots"; it must be'],
    ['runs.0.generatorBusy', -0.1, 'runs[0].generatorBusy is -0.1; it must be'],
    ['runs.2.disturbedUsers', 0.5, 'runs[2].disturbedUsers is 0.5; it must be a whole number'],
    ['runs.2.secondsToSteady', 'never', 'runs[2].secondsToSteady is "never"; it must be a number'],
    ['runs.2.timeline.3.second', '3', 'runs[2].timeline[3].second is "3"; it must be a number'],
    ['runs.2.timeline.3.delivered', undefined, 'runs[2].timeline[3].delivered is missing'],
    ['conditions.date', 'yesterday', 'conditions.date is "yesterday"; it must be a date by ISO 8601'],
    ['conditions.cpu', '', 'conditions.cpu is ""; it must be a text of 1 to 1000 characters'],
    ['conditions.cores', 0, 'conditions.cores is 0; it must be a whole number between 1 and '],
    ['conditions.queue', 7, 'conditions.queue is 7; it must be a text'],
    ['conditions.rate', null, 'conditions.rate is null; it must be a number'],
    ['conditions.edges', -1, 'conditions.edges is -1; it must be'],
    ['conditions.strategies.1', 'x', 'conditions.strategies[1] is "x"; it must be one of'],
    ['conditions.nodeCounts.0', 0, 'conditions.nodeCounts[0] is 0; it must be'],
    ['conditions.missing', 'all', 'conditions.missing is "all"; it must be a list'],
  ];
  for (const [path, value, message] of cases) {
    const said = refusal(() => readComparison(changed(path, value)));
    t.ok(said.startsWith(`bad-request: ${message}`), `${path}: ${said}`);
  }
});

t.test('what is no comparison at all is refused', async (t) => {
  for (const value of [null, undefined, 5, 'text', []]) {
    t.match(
      refusal(() => readComparison(value)),
      /^bad-request: the comparison is .*; it must be an object$/,
    );
  }
  t.equal(
    refusal(() => readComparison({})),
    'bad-request: conditions is missing',
  );
});

t.test('a run that comes twice is refused', async (t) => {
  const { conditions, runs } = fixtureComparison({ rounds: 1, nodeCounts: [3] });
  t.equal(
    refusal(() => readComparison({ conditions, runs: [...runs, runs[0]] })),
    'bad-request: runs[20] is ring, 3 nodes, steady, round 1 again; each run must come once',
  );
});

t.test('a value that is long is shown in part', async (t) => {
  t.ok(refusal(() => readComparison(changed('runs.0.phase', 'x'.repeat(5000)))).length < 250);
});
