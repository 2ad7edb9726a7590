import t from 'tap';
import { recordedLog } from '../../membership/test/recorded-log.js';
import { SparseWarning } from '../src/admission/sparse-warning.js';

t.test('a warning is in the log once a second, with how many there were beside it', async (t) => {
  let now = 0;
  const log = recordedLog();
  const warning = new SparseWarning(log, () => now);
  for (let i = 0; i < 2500; i++, now++) warning.warn(`no answer ${i}`);
  t.same(log.lines, [
    'no answer 0 {}',
    'no answer 1000 {"othersBefore":999}',
    'no answer 2000 {"othersBefore":999}',
  ]);
  now += 60_000;
  warning.warn('much later');
  t.equal(log.lines.at(-1), 'much later {"othersBefore":499}');
});
