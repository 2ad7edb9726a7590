import { alternate } from '../kit/alternate.js';
import type { Round } from '../kit/bar.js';

const script = new URL('./cost-sample.ts', import.meta.url);
const names = ['receipts', 'table', 'numbers', 'inbox', 'acknowledgements', 'frames', 'all'];
const of = (round: Round, name: string): number => round[name]!['nsPerMessage']!;

await alternate({
  question:
    'What does each thing cost that a node does for a message beside moving its bytes? Receipts, the table of users, numbers, ' +
    'keeping messages until they are acknowledged (numbers included), hearing acknowledgements (one for each user of a ' +
    'batch), the frames of the link, and all of it together; in one process, in batches of 2,048 messages of 128 bytes to 1,000 users.',
  doesNotMean:
    'what a message costs a node: system calls, HTTP and the reading of the batch are not here, and they are the larger part. ' +
    'Alone a mechanism has the caches for itself; the sum of the parts is less than the whole.',
  contenders: names.map((name) => ({ name, script, args: [name] })),
  rounds: 5,
  bars: [
    {
      what: 'keeping beyond numbering, ns',
      of: (round) => of(round, 'inbox') - of(round, 'numbers'),
      atMost: 500,
    },
    { what: 'all, ns', of: (round) => of(round, 'all'), atMost: 2000 },
  ],
});
