import { alternate } from '../kit/alternate.js';
import { none, type Round } from '../kit/bar.js';
import { contenders, untrue } from './contenders.js';

const script = new URL('./saturation-sample.ts', import.meta.url);
const deep = contenders(script, ['link', 'haproxy']).map(({ name, args = [] }) => ({
  name: `deep-${name}`,
  script,
  args: [...args, '--deep'],
}));
const ratio =
  (figure: string, depth = '') =>
  (round: Round) =>
    round[`${depth}link`]![figure]! / round[`${depth}haproxy`]![figure]!;

await alternate({
  question:
    'How many messages of 128 bytes come to 1,000 connections on two nodes when 16,384 are under way at any time, or 65,536 ' +
    '(deep)? Prepared batches of 2,048 go straight to the nodes; clients say how many have come, because receipts do not tell ' +
    'how far a proxy is behind. An edge with links or tunnels, HAProxy and nginx stand before the same nodes, each with one ' +
    'thread. messagesPerCpuSecond: per second of CPU time of proxy and nodes, which share the cores with the load.',
  doesNotMean:
    'what each would do with cores of its own: on a machine with two, the load, the clients and the nodes take their share, ' +
    'which brings the contenders closer to one another. 16 for each connection leave a few per cent of two cores idle with the ' +
    'link, as the load looks every 2 ms how far it is. Prepared batches come from no real sender; nothing travels from clients.',
  contenders: [...contenders(script), ...deep],
  rounds: 5,
  bars: [
    { what: 'messages/s, link / haproxy', of: ratio('messagesPerSecond'), atLeast: 1.6 },
    { what: 'messages per CPU second, link / haproxy', of: ratio('messagesPerCpuSecond'), atLeast: 1.6 },
    { what: 'deep, messages/s, link / haproxy', of: ratio('messagesPerSecond', 'deep-'), atLeast: 1.6 },
    {
      what: 'deep, messages per CPU second, link / haproxy',
      of: ratio('messagesPerCpuSecond', 'deep-'),
      atLeast: 1.6,
    },
    none('receipts not true, or not delivered', (round) => untrue(round)),
  ],
});
