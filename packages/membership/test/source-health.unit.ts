import t from 'tap';
import type { Log } from '../src/log/log.js';
import { SourceHealth } from '../src/tracker/source-health.js';

t.test('a source that cannot be read is in the log once, and so is its return', async (t) => {
  const said: string[] = [];
  const note = (kind: string) => (_: object, text: string) => said.push(`${kind}: ${text}`);
  const log: Log = { info: note('info'), warn: note('warn'), error: note('error') };
  let now = 1000;
  const health = new SourceHealth({ now: () => now, after: () => () => {} }, log);
  for (let times = 0; times < 3; times++) health.failed(new Error('no answer'));
  t.equal(health.errors, 3);
  health.read();
  health.read();
  t.same(said, [
    'warn: the source of members cannot be read; trying again',
    'info: the source of members can be read again',
  ]);
  now += 500;
  t.equal(health.staleMs, 500);
  health.knownFrom(new Date(Date.now() - 60_000).toISOString());
  t.ok(health.staleMs >= 60_000 && health.staleMs < 70_000, 'as old as what is known');
  health.knownFrom(new Date(Date.now() + 60_000).toISOString());
  t.equal(health.staleMs, 0, 'not younger than now');
});
