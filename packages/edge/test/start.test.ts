import { inProcessMembership } from '@pinwheel/membership';
import t from 'tap';
import { until } from '../../../test/kit/until.js';
import { createEdge } from '../src/index.js';

interface Line {
  readonly level: string;
  readonly fields: object;
  readonly text: string;
}

function keptLog() {
  const lines: Line[] = [];
  const keep = (level: string) => (fields: object, text: string) => void lines.push({ level, fields, text });
  return { lines, log: { info: keep('info'), warn: keep('warn'), error: keep('error') } };
}

t.test('an edge starts while its service has no members', async (t) => {
  const membership = inProcessMembership();
  const { lines, log } = keptLog();
  const edge = await createEdge({ id: 'e1', upstream: 'tunnel', membership, log });
  t.teardown(() => edge.close());
  const warnings = lines.filter(({ level }) => level === 'warn');
  t.match(warnings, [{ fields: { edge: 'e1', source: 'in-process membership' }, text: /no members yet/ }]);
});

t.test('an edge starts in a service with members, and its ring changes', async (t) => {
  const membership = inProcessMembership();
  membership.set({ id: 'a', port: 1, kind: 'foreign' });
  const { lines, log } = keptLog();
  const edge = await createEdge({
    id: 'e1',
    upstream: 'tunnel',
    membership,
    log,
    tracking: { joinQuietMs: 10 },
  });
  t.teardown(() => edge.close());
  const before = lines.length;
  membership.set({ id: 'b', port: 2, kind: 'foreign' });
  await until('the change is in the log', () => lines.length > before);
  t.same(
    lines.filter(({ level }) => level === 'warn'),
    [],
  );
  t.equal(lines.filter(({ text }) => /ring.*changed/.test(text)).length, 1, 'once');
});
