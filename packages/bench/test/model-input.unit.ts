import t from 'tap';
import type { GivenDemand } from '../src/model/demand.js';
import { modelOf } from '../src/model/model-of.js';
import { parseCount } from '../src/model/parse-count.js';
import { refusal } from './kit/refusal.js';

const demand: GivenDemand = { users: 50_000_000, nodes: 500, edges: 200, messagesPerSecond: 2_000_000 };

t.test('a demand out of bounds is refused', async (t) => {
  const cases: readonly (readonly [Partial<GivenDemand>, string])[] = [
    [{ nodes: 0 }, '--nodes is 0; it must be a whole number between 1 and 100000'],
    [{ nodes: 100_001 }, '--nodes is 100001; it must be a whole number between 1 and 100000'],
    [{ users: 0 }, '--users is 0; it must be a whole number between 1 and 100000000000'],
    [{ edges: -1 }, '--edges is -1; it must be a whole number between 0 and 100000'],
    [
      { messagesPerSecond: 1.5 },
      '--msgs-per-second is 1.5; it must be a whole number between 1 and 100000000000',
    ],
    [{ payloadBytes: Number.NaN }, '--payload is NaN; it must be a whole number between 0 and 16777216'],
    [{ coresPerMachine: 0 }, '--cores is 0; it must be a whole number between 1 and 1024'],
    [{ networkGbitPerSecond: 0 }, '--network-gbit is 0; it must be a number between 0.001 and 10000'],
    [{ queueCores: 0 }, '--queue-cores is 0; it must be a whole number between 1 and 10000'],
    [
      { maxConnectionsPerProcess: 0 },
      '--max-connections is 0; it must be a whole number between 1 and 100000000',
    ],
    [
      { leaseSeconds: Number.POSITIVE_INFINITY },
      '--lease is Infinity; it must be a number between 1 and 86400',
    ],
  ];
  for (const [changes, message] of cases) {
    t.equal(
      refusal(() => modelOf({ ...demand, ...changes })),
      `bad-option: ${message}`,
    );
  }
});

t.test('a count', async (t) => {
  const counts: readonly (readonly [string, number])[] = [
    ['0', 0],
    ['128', 128],
    ['50M', 50_000_000],
    ['2k', 2000],
    ['2K', 2000],
    ['1.5M', 1_500_000],
    ['1.1M', 1_100_000],
    ['3G', 3_000_000_000],
    ['0.5k', 500],
    ['1.50k', 1500],
    ['2.0', 2],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ];
  for (const [text, count] of counts) t.equal(parseCount('--users', text), count, text);
  const bad = [
    '',
    'k',
    '-1',
    '1.5',
    '1.0005k',
    '1e6',
    '2m',
    '5 M',
    '1,000',
    '.5M',
    '9007199254740992',
    '99999999G',
    '0x10',
  ];
  for (const text of bad) {
    const wanted = `bad-option: --users is ${JSON.stringify(text)}; it must be a whole number of at most `;
    t.match(
      refusal(() => parseCount('--users', text)),
      wanted,
    );
  }
});
