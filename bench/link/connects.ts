import { alternate } from '../kit/alternate.js';
import { none } from '../kit/bar.js';
import { contenders, untrue } from './contenders.js';

const script = new URL('./connects-sample.ts', import.meta.url);

await alternate({
  question:
    'How many clients a second can connect, 100 at a time, until the last of 3,000 has its session at one of two nodes? The same ' +
    '3,000 connect seven times; the time with the median rate counts. After each a message to each must be delivered and ' +
    'come. The CPU time is that of proxy and nodes.',
  doesNotMean:
    'how fast a client connects: the 100 wait for one another (upgradeP50Ms). The clients themselves take a good part of the ' +
    'machine. No TLS, no tokens; the code is warm.',
  contenders: contenders(script),
  rounds: 5,
  bars: [
    {
      what: 'connects/s, link / direct',
      of: ({ link, direct }) => link!['connectsPerSecond']! / direct!['connectsPerSecond']!,
      atLeast: 0.8,
    },
    none('users not reached', (round) => untrue(round)),
  ],
});
