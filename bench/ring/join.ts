import { alternate } from '../kit/alternate.js';

const script = new URL('./join-sample.ts', import.meta.url);

await alternate({
  question: 'What does it cost to build the ring anew when one member joins 1,000 of 512 virtual nodes?',
  doesNotMean:
    'the time until the newcomer has users: membership settles first and users move at their own pace. The ' +
    'reference sorts the whole ring again, with the points of the 1,000 in memory; a first build hashes them too.',
  contenders: [
    { name: 'join', script, args: ['join'] },
    { name: 'rebuild', script, args: ['rebuild'] },
  ],
  bars: [{ what: 'join, ms', of: ({ join }) => join!['msPerBuild']!, atMost: 10 }],
});
