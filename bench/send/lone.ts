import { alternate } from '../kit/alternate.js';
import { none } from '../kit/bar.js';

const script = new URL('./lone-sample.ts', import.meta.url);

await alternate({
  question:
    'How long does one message of 128 bytes take from send to its receipt when nothing else is sent? One after the other, ' +
    'to 1,000 connected users on three nodes, beside the same with one plain undici request each.',
  doesNotMean:
    'the time until the client has it, which the receipt does not wait for, nor the time across a network: add a round ' +
    'trip. Under load a message waits for the batch before its own.',
  contenders: [
    { name: 'sender', script, args: ['sender'] },
    { name: 'single', script, args: ['single'] },
  ],
  rounds: 5,
  bars: [
    { what: 'sender, p50 ms', of: ({ sender }) => sender!['p50Ms']!, atMost: 1 },
    none(
      'messages that did not arrive once',
      ({ sender, single }) => sender!['notArrivedOnce']! + single!['notArrivedOnce']!,
    ),
  ],
});
