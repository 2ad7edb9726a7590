import { alternate } from '../kit/alternate.js';
import type { Round } from '../kit/bar.js';

const script = new URL('./tunnel-sample.ts', import.meta.url);
const ratio = (figure: string) => (round: Round) => round['edge']![figure]! / round['bare']![figure]!;

await alternate({
  question: 'What does a tunnel of the edge cost beside bare node-http-proxy in front of the same ws server?',
  doesNotMean:
    'the speed of an edge: both proxies, the backend and the load share this machine. Messages of 120 bytes come one in a ' +
    'chunk, which is the dearest case for whoever works per chunk.',
  contenders: [
    { name: 'edge', script, args: ['edge'] },
    { name: 'bare', script, args: ['bare'] },
  ],
  bars: [
    { what: 'CPU per message, edge / bare', of: ratio('cpuMicrosPerMessage'), atMost: 1.15 },
    { what: 'RSS per connection, edge / bare', of: ratio('rssBytesPerConnection'), atMost: 1.15 },
  ],
});
