import fc from 'fast-check';
import t from 'tap';
import { readPlaces, writePlaces } from '../src/index.js';

t.test('places are read as they were written', async (t) => {
  t.equal(writePlaces([1, 3], 4), 'Cg==');
  fc.assert(
    fc.property(fc.nat(3000), fc.array(fc.nat()), (length, numbers) => {
      const places = [...new Set(numbers.map((number) => number % (length + 1)))].sort((a, b) => a - b);
      t.strictSame(readPlaces(writePlaces(places, length + 1), length + 1), places);
    }),
    { numRuns: 200 },
  );
});

t.test('whatever else stands there names nobody beyond the batch', async (t) => {
  t.same(readPlaces('', 5), []);
  t.same(readPlaces('*/-', 0), []);
  fc.assert(
    fc.property(fc.string(), fc.nat(100), (value, length) =>
      readPlaces(value, length).every((place) => place >= 0 && place < length),
    ),
  );
  t.pass('and nothing is thrown');
});
