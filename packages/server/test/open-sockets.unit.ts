import t from 'tap';
import { maxOpenFiles, roomWithin } from '../src/open-files.js';
import { OpenSockets } from '../src/open-sockets.js';

t.test('clients get what is left of the open files, most of it as clients that are known', async (t) => {
  t.same(roomWithin(1024, 1), { maxOpenFiles: 1024, maxSockets: 896, maxConnections: 806 });
  t.same(roomWithin(1024, 2), { maxOpenFiles: 1024, maxSockets: 448, maxConnections: 403 });
  t.same(roomWithin(256, 1), { maxOpenFiles: 256, maxSockets: 192, maxConnections: 172 });
  t.same(roomWithin(64, 1), { maxOpenFiles: 64, maxSockets: 32, maxConnections: 28 }, 'half of very few');
});

t.test('the system says how many files a process may open', async (t) => {
  t.ok(maxOpenFiles()! >= 256, String(maxOpenFiles()));
});

function socketsWithin(maxOpenFiles: number | undefined) {
  const lines: object[] = [];
  const counters = { sockets: 0 };
  const say = (fields: object): unknown => lines.push(fields);
  const log = { info: say, warn: say };
  return {
    sockets: new OpenSockets({ filesPerClient: 1, counters, log, maxOpenFiles }),
    counters,
    lines,
  };
}

t.test('a socket that is one too many does not stay, is counted, and said once', async (t) => {
  const { sockets, counters, lines } = socketsWithin(64);
  for (let i = 0; i < 32; i++) {
    t.notOk(sockets.isFull);
    t.ok(sockets.came());
  }
  t.ok(sockets.isFull);
  t.same(
    [1, 2, 3].map(() => {
      const mayStay = sockets.came();
      sockets.left();
      return mayStay;
    }),
    [false, false, false],
  );
  t.equal(counters.sockets, 3);
  t.same(lines, [{ sockets: 33, maxSockets: 32, maxOpenFiles: 64 }]);
  sockets.left();
  t.notOk(sockets.isFull);
  t.ok(sockets.came());
});

t.test('a bound of clients that the open files do not hold is lowered, and said', async (t) => {
  const { sockets, lines } = socketsWithin(64);
  t.equal(sockets.connectionsWithin(28), 28);
  t.same(lines, []);
  t.equal(sockets.connectionsWithin(100), 28);
  t.same(lines, [{ maxOpenFiles: 64, maxConnections: 100, possible: 28 }]);
});

t.test('where the system says nothing there is no bound', async (t) => {
  const { sockets } = socketsWithin(undefined);
  t.equal(sockets.connectionsWithin(10_000_000), 10_000_000);
  for (let i = 0; i < 1000; i++) if (!sockets.came()) t.fail('refused');
  t.notOk(sockets.isFull);
});
