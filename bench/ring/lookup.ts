import { alternate } from '../kit/alternate.js';

const script = new URL('./lookup-sample.ts', import.meta.url);

await alternate({
  question: 'What does one look-up of an owner cost, hash included, with 1,000 members of 512 virtual nodes?',
  doesNotMean:
    'the cost of a look-up in a warm server, which is less than half: it is the mean of the first 200,000 in a ' +
    'new process, compilation and garbage collection included. A key from 16 characters on costs some 50 ns more, ' +
    'and one that was just concatenated has to be made one piece first, which costs as much as the look-up.',
  contenders: [
    { name: 'ring', script, args: ['ring'] },
    { name: 'hashring', script, args: ['hashring'] },
  ],
  bars: [
    { what: 'ring, ns', of: ({ ring }) => ring!['nsPerLookup']!, atMost: 200 },
    {
      what: 'hashring / ring',
      of: ({ ring, hashring }) => hashring!['nsPerLookup']! / ring!['nsPerLookup']!,
      atLeast: 10,
    },
  ],
});
