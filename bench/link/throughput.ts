import { alternate } from '../kit/alternate.js';
import { none } from '../kit/bar.js';
import { contenders, untrue } from './contenders.js';

const script = new URL('./throughput-sample.ts', import.meta.url);

await alternate({
  question:
    'What does a message of 128 bytes cost the proxy and the nodes when 20,000 a second go to 2,000 connections on two nodes, ' +
    'whatever the receipts do? An edge with links or tunnels, HAProxy and nginx stand before the same nodes, each with one ' +
    'thread; direct: clients connect to the nodes. CPU time is that of the processes, with the kernel’s work for them, per ' +
    'message that came to a client; every receipt is held against what the clients have counted.',
  doesNotMean:
    'that HAProxy or nginx would do as they are: they cannot say which node has a user, so a sender would not know where to ' +
    'send, and users were chosen whom they happen to bring to their owner. Nothing travels from clients, nothing is ' +
    'encrypted. Senders, clients, proxy and nodes share the cores; loopback is cheaper than a network.',
  contenders: contenders(script),
  rounds: 5,
  bars: [
    {
      what: 'CPU per message, link / haproxy',
      of: ({ link, haproxy }) => link!['cpuMicrosPerMessage']! / haproxy!['cpuMicrosPerMessage']!,
      atMost: 0.75,
    },
    none('receipts not true, or not delivered', (round) => untrue(round)),
  ],
});
