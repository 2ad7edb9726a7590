import { alternate } from '../../bench/kit/alternate.js';

/** A bench whose third run has faults; `every` holds that against each round, `median` against the median. */
const [judging, runs] = process.argv.splice(2, 2);

await alternate({
  question: 'Are there faults?',
  doesNotMean: 'anything',
  contenders: [{ name: 'subject', script: new URL('./faulty-sample.ts', import.meta.url), args: [runs!] }],
  bars: [
    {
      what: 'faults',
      of: ({ subject }) => subject!['faults']!,
      atMost: 0,
      everyRound: judging === 'every',
    },
  ],
});
