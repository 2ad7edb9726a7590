import fc from 'fast-check';
import t from 'tap';
import { Rounds } from '../src/index.js';

t.test('everybody is met once a round, whatever the parts', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 1, max: 60 }), (size, parts) => {
      const everybody = new Set(Array.from({ length: size }, (_, i) => i));
      const rounds = new Rounds(everybody);
      const met: number[] = [];
      for (let i = 0; i < parts; i++) rounds.go(1 / parts, (one) => met.push(one));
      const firstRound = met.slice(0, size);
      return new Set(firstRound).size === size && met.length < size + parts;
    }),
  );
});

t.test('who is deleted is not met, who is added is, and an end is no end for ever', async (t) => {
  const everybody = new Map<string, string>();
  const rounds = new Rounds(everybody);
  const met: string[] = [];
  const go = (part: number): void => rounds.go(part, (one) => met.push(one));
  go(1);
  t.same(met, [], 'nobody');
  for (const name of ['a', 'b', 'c']) everybody.set(name, name);
  go(1 / 3);
  everybody.delete('b');
  everybody.set('d', 'd');
  go(1);
  t.same(met, ['a', 'c', 'd', 'a']);
  rounds.go(1, (one) => everybody.delete(one));
  t.equal(everybody.size, 0, 'they may be deleted on the way');
  go(1);
  t.equal(met.length, 4);
});
