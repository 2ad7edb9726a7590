import { alternate } from '../kit/alternate.js';
import { none } from '../kit/bar.js';
import { untrue } from './untrue.js';

const script = new URL('./throughput-sample.ts', import.meta.url);

await alternate({
  question:
    'What does it cost the sender and the nodes that every call carries a proof? One sender, 1,000 users on three nodes, 128 ' +
    'bytes, 8,192 messages without a receipt at any time, once with keys and once without.',
  doesNotMean:
    'what a lone message costs: one proof is of one call, whatever is in it, and here a call has many messages ' +
    '(messagesPerRequest). Clients prove themselves once, as they connect, and cost nothing here.',
  contenders: [
    { name: 'signed', script, args: ['signed'] },
    { name: 'plain', script, args: ['sender'] },
  ],
  rounds: 7,
  bars: [
    {
      what: 'CPU per message, signed / plain',
      of: ({ signed, plain }) => signed!['cpuMicrosPerMessage']! / plain!['cpuMicrosPerMessage']!,
      atMost: 1.1,
    },
    // a call that is refused costs less than one that is served
    none('signed, receipts not true', (round) => untrue(round, 'signed')),
    none('plain, receipts not true', (round) => untrue(round, 'plain')),
  ],
});
