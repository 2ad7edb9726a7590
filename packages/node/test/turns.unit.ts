import t from 'tap';
import { Turns } from '../src/application/turns.js';

const limits = { maxPerUser: 2, maxBytesPerUser: 100, maxBytes: 150 };
const never = (): Promise<void> => new Promise(() => {});

t.test('a task that would hold too much is not begun', async (t) => {
  const turns = new Turns(limits);
  const fail = (): void => {
    t.fail('it ran');
  };
  t.equal(turns.add('a', 101, fail), false, 'more than a user may hold, with nothing else waiting');
  t.equal(turns.add('a', 100, never), true);
  t.equal(turns.add('b', 51, fail), false, 'more than all may hold together');
  t.equal(turns.add('b', 50, never), true);
  t.equal(turns.bytes, 150);
  t.equal(turns.add('c', 1, fail), false);
  let ran = 0;
  t.equal(
    turns.add('c', 0, () => ran++),
    true,
    'one that must not be refused is run',
  );
  t.equal(ran, 1);
});

t.test('tasks that are over at once hold nothing', async (t) => {
  const turns = new Turns(limits);
  for (let i = 0; i < 1000; i++)
    t.equal(
      turns.add(`u${i}`, 100, () => undefined),
      true,
    );
  t.match(turns, { bytes: 0, users: 0, staying: 0 });
});

t.test('tasks that nobody else would do are counted until they are over', async (t) => {
  const turns = new Turns({ maxPerUser: 10, maxBytesPerUser: 100, maxBytes: 150 });
  let end = (): void => {};
  const slow = () =>
    new Promise<void>((resolve) => {
      end = resolve;
    });
  turns.add('a', 1, slow, false);
  turns.add('a', 1, slow);
  turns.add('a', 0, () => undefined);
  turns.add('a', 1, slow, false);
  t.equal(turns.staying, 2);
  void turns.hold('a');
  end();
  await Promise.resolve();
  turns.letGo('a', true);
  t.equal(turns.staying, 2, 'one is under way');
  end();
  await Promise.resolve();
  t.match(turns, { bytes: 0, users: 0, staying: 0 });
});
