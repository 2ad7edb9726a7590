import { alternate } from '../kit/alternate.js';
import { none } from '../kit/bar.js';

await alternate({
  question:
    'How long after the SIGKILL of one of three nodes is each of its users reached again? 1,200 clients are on two edges with ' +
    'links, about 400 of them on that node; members are in a real Consul with its checks as they come. For each user a ' +
    'message is sent at once, and again 50 ms after a receipt that is not delivered; the time ends with the receipt that is.',
  doesNotMean:
    'that nothing is lost: what the node had not yet passed on, and had not yet said that it had, is the sender’s to repeat. ' +
    'The kernel closes the sockets of a process that is killed; a machine that vanishes is noticed by the keep-alive.',
  contenders: [{ name: 'kill', script: new URL('./kill-sample.ts', import.meta.url) }],
  rounds: 5,
  bars: [
    { what: 'users of the node', of: ({ kill }) => kill!['users']!, atLeast: 300 },
    { what: 'p99 until reached, ms', of: ({ kill }) => kill!['p99Ms']!, atMost: 5000 },
    none(
      'messages lost, twice or out of order, sockets closed',
      ({ kill }) => kill!['lost']! + kill!['duplicated']! + kill!['disordered']! + kill!['closed']!,
    ),
  ],
});
