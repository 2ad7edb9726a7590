import { buildRing } from '@pinwheel/ring';
import t from 'tap';
import { ringChange } from '../src/ring/ring-change.js';

const stateOf = (...members: { id: string; weight?: number }[]) => ({
  ring: buildRing(members),
  members: new Map(),
  generation: 2,
  index: '1',
  previous: [],
});

t.test('what a log says of a new ring', async (t) => {
  const before = buildRing([{ id: 'a' }, { id: 'b' }]);
  t.same(ringChange(before, stateOf({ id: 'a', weight: 2 })), { gone: ['b'], reweighted: ['a'] });
  t.same(ringChange(before, stateOf({ id: 'a', weight: 1 }, { id: 'b' })), {});
  const b = { id: 'b', kind: 'node', address: '127.0.0.1', port: 7001, weight: 1 } as const;
  for (const [kind, draining] of [['leaving', true] as const, ['leftOut', false] as const]) {
    const members = new Map([['b', { ...b, draining }]]);
    t.same(ringChange(before, { ...stateOf({ id: 'a' }), members }), { [kind]: ['b'] });
  }
  const many = Array.from({ length: 22 }, (_, i) => ({ id: `n${10 + i}` }));
  const { joined = [] } = ringChange(buildRing([]), stateOf(...many));
  t.equal(joined.length, 21, 'of very many the first twenty');
  t.equal(joined.at(-1), 'and 2 more');
});
