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
  for (const name of ['a', 'b', 'c']) everybody.set(name, name);
  rounds.go(1, (one) => {
    met.push(one);
    everybody.clear();
  });
  t.same(met.slice(4), ['a'], 'all at once, too');
});

t.test('whoever stays is met, however many come and go', async (t) => {
  const everybody = new Set(Array.from({ length: 20 }, (_, i) => `stays ${i}`));
  for (let i = 0; i < 20; i++) everybody.add(`guest ${i}`);
  const rounds = new Rounds(everybody);
  const met = new Map<string, number>();
  // a tenth of a round at a time, and as many guests who are replaced by others
  for (let beat = 0; beat < 100; beat++) {
    rounds.go(1 / 10, (one) => met.set(one, (met.get(one) ?? 0) + 1));
    for (const guest of [...everybody].filter((one) => one.startsWith('guest')).slice(0, 4)) {
      everybody.delete(guest);
      everybody.add(`guest of ${beat} for ${guest.slice(-2)}`);
    }
  }
  const stayed = [...met].filter(([one]) => one.startsWith('stays')).map(([, times]) => times);
  t.equal(stayed.length, 20);
  t.ok(Math.min(...stayed) >= 9, `ten rounds; the least often met was met ${Math.min(...stayed)} times`);
});
