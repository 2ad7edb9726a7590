import { alternate } from '../kit/alternate.js';
import { none, type Round } from '../kit/bar.js';

const script = new URL('./move-sample.ts', import.meta.url);
/** A major collection of what a bench remembers, 10 to 25 ms in its sender, is no part of what moving costs. */
const flags = ['--v8-pool-size=1', '--initial-heap-size=256'];
const names = ['off', 'paced'];
const warm = { PINWHEEL_WARM_UP: 'true' };
const faults = ['refused', 'lost', 'duplicated', 'denied', 'disordered', 'closed'];
const worst = (round: Round, of: (figures: Round[string]) => number): number =>
  Math.max(...names.map((name) => of(round[name]!)));

await alternate({
  question:
    'How fast do the 10,000 users of a node that drains move to the other one, and what do they notice? Their clients are on two ' +
    'edges with links. Pace off: 1,000,000 users a second; paced: 1,000; cold: as off, but nodes and edges were ' +
    'started without --warm-up. Meanwhile 2,000 messages of 128 bytes a second go ' +
    'to any of 12,000 users, and 2,000 more to 100 of those who move, one every 50 ms to each. A gap is the longest that a ' +
    'message for such a user took to its client during the move, beyond the median before it; its own gap is what it took ' +
    'beyond the slowest message to those who stay that was sent within the same tenth of a second.',
  doesNotMean:
    'how fast a large service moves: one node gives, one takes, and all share the machine. A gap shorter than 50 ms may have ' +
    'fallen between two messages. calmGapP99Ms is what the same reading gives when nobody moves: the machine’s own stalls.',
  contenders: [
    ...names.map((name) => ({ name, script, args: [name], flags, env: warm })),
    { name: 'cold', script, args: ['off'], flags },
  ],
  rounds: 5,
  bars: [
    { what: 'off, s from the drain to the last user', of: ({ off }) => off!['secondsInAll']!, atMost: 2 },
    { what: 'paced, % beside the pace', of: ({ paced }) => paced!['secondsBeside']!, atMost: 10 },
    {
      what: 'gap of a moved user, p99 ms',
      of: (round) => worst(round, (of) => of!['gapP99Ms']!),
      atMost: 50,
    },
    {
      what: 'paced, own gap of a moved user, p99 ms',
      of: ({ paced }) => paced!['ownGapP99Ms']!,
      atMost: 50,
    },
    {
      what: 'paced, p99 to the receipt, moving / calm',
      of: ({ paced }) => paced!['movingReceiptP99Ms']! / paced!['calmReceiptP99Ms']!,
      atMost: 2,
    },
    {
      what: 'p99 to the receipt, moving / calm',
      of: (round) => worst(round, (of) => of!['movingReceiptP99Ms']! / of!['calmReceiptP99Ms']!),
      atMost: 2,
    },
    none('messages and sockets with a fault', (round) =>
      Object.values(round)
        .flatMap((figures) => faults.map((fault) => figures![fault]!))
        .reduce((a, b) => a + b, 0),
    ),
  ],
});
