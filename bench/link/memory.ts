import { alternate } from '../kit/alternate.js';
import { none } from '../kit/bar.js';
import { contenders, untrue } from './contenders.js';

const script = new URL('./memory-sample.ts', import.meta.url);

await alternate({
  question:
    'How much memory does an idle connection take in the proxy and the nodes together? Resident memory after a collection ' +
    'grows by so much from 2,000 connections to 10,000 (or as many as two descriptors each allow), before those were sent ' +
    'anything and after a message to each (used). Users are on two nodes.',
  doesNotMean:
    'all that a connection takes: sockets are in the kernel. kernelKbPerConnection is what its small objects grew by, the ' +
    'clients’ and whatever the machine did meanwhile included. A busy connection takes more.',
  contenders: contenders(script),
  rounds: 3,
  bars: [
    {
      what: 'link, KB per connection',
      of: ({ link }) => link!['kbPerConnection']!,
      atMost: 6,
    },
    { what: 'link, KB per used connection', of: ({ link }) => link!['kbPerUsedConnection']!, atMost: 6 },
    none('users not reached', (round) => untrue(round)),
  ],
});
