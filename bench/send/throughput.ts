import { alternate } from '../kit/alternate.js';
import { none } from '../kit/bar.js';
import { untrue } from './untrue.js';

const script = new URL('./throughput-sample.ts', import.meta.url);

await alternate({
  question:
    'How many messages of 128 bytes does one sender bring to 1,000 connected users on three nodes, and what does one cost ' +
    'the sender and the nodes? 8,192 messages wait for their receipts at any time; every receipt is held against what the ' +
    'clients have counted. Of up to ten windows of 2 s the first counts in which others took less than a fifth of a core ' +
    '(othersCpuPercent), or the least disturbed. The reference makes one HTTP request for each message, with undici, 10 connections to a node.',
  doesNotMean:
    'what several machines would do: the sender, three nodes, the clients and whatever else runs share the cores, and CPU ' +
    'time per message grows when others run beside them. One connection a user, text, no ' +
    'TLS. Batches are as long as here only under load.',
  contenders: [
    { name: 'sender', script, args: ['sender'] },
    { name: 'single', script, args: ['single'] },
  ],
  rounds: 5,
  bars: [
    { what: 'sender, messages/s', of: ({ sender }) => sender!['messagesPerSecond']!, atLeast: 200_000 },
    { what: 'sender, CPU µs/message', of: ({ sender }) => sender!['cpuMicrosPerMessage']!, atMost: 5 },
    {
      what: 'CPU per message, single / sender',
      of: ({ sender, single }) => single!['cpuMicrosPerMessage']! / sender!['cpuMicrosPerMessage']!,
      atLeast: 5,
    },
    none('sender, receipts not true', (round) => untrue(round, 'sender')),
    none('single, receipts not true', (round) => untrue(round, 'single')),
    none('sender, messages out of order', ({ sender }) => sender!['disordered']!),
  ],
});
