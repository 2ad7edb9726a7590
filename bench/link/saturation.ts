import { alternate, type Round } from '../kit/alternate.js';
import { contenders, untrue } from './contenders.js';

const script = new URL('./saturation-sample.ts', import.meta.url);
const ratio = (figure: string) => (round: Round) => round['link']![figure]! / round['haproxy']![figure]!;

await alternate({
  question:
    'How many messages of 128 bytes come to 1,000 connections on two nodes when 16,384 are under way at any time? Prepared ' +
    'batches of 2,048 go straight to the nodes; clients say how many have come, because receipts do not tell how far a proxy ' +
    'is behind. An edge with links or tunnels, HAProxy and nginx stand before the same nodes, each with one thread. ' +
    'messagesPerCpuSecond: per second of CPU time of proxy and nodes, which share the cores with the load.',
  doesNotMean:
    'what each would do with cores of its own: on a machine with two, the load, the clients and the nodes take their share, ' +
    'which brings the contenders closer to one another. Prepared batches come from no real sender; nothing travels from clients.',
  contenders: contenders(script),
  rounds: 5,
  bars: [
    { what: 'messages/s, link / haproxy', of: ratio('messagesPerSecond'), atLeast: 1.6 },
    { what: 'messages per CPU second, link / haproxy', of: ratio('messagesPerCpuSecond'), atLeast: 1.6 },
    { what: 'receipts not true, or not delivered', of: (round) => untrue(round), atMost: 0 },
  ],
});
