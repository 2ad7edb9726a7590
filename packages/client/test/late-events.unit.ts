import { closeReasonOf } from '@pinwheel/protocol/client';
import t from 'tap';
import { FakeWorld } from './kit/fake-world.js';

const turns = async (): Promise<void> => {
  for (let i = 0; i < 6; i++) await null;
};

t.test('attempts are counted from the last connection on', async (t) => {
  const world = new FakeWorld();
  world.reconnect();
  world.connected();
  world.reconnect();
  t.same(
    world.statuses.flatMap((status) => (status.state === 'connecting' ? [status.attempt] : [])),
    [1, 2, 1],
  );
});

t.test('the network changes', async (t) => {
  const failed = (): FakeWorld => {
    const world = new FakeWorld({ retry: { firstMs: 100, longestMs: 100_000 } });
    for (let i = 0; i < 9; i++) world.reconnect();
    return world;
  };

  t.test('while a connection is tried that succeeds: the next wait is none of that', async (t) => {
    const world = failed();
    world.core.networkChanged();
    world.connected();
    world.socket.events.closed(1006, '');
    t.match(world.core.status, { state: 'waiting', retryInMs: 25_600 });
  });

  t.test('while a connection is tried, and the server says when to come: it is obeyed', async (t) => {
    const world = failed();
    world.core.networkChanged();
    world.socket.events.closed(4000, closeReasonOf(60_000));
    t.match(world.core.status, { state: 'waiting', retryInMs: 60_000 });
  });

  t.test('when the next try is near: it is not put off', async (t) => {
    const world = new FakeWorld({ retry: { firstMs: 100, longestMs: 1000 } });
    world.drawn = 0.1;
    world.socket.events.closed(1006, '');
    world.drawn = 0.9;
    world.core.networkChanged();
    t.match(world.core.status, { state: 'waiting', retryInMs: 10 });
    world.clock.pass(10);
    t.equal(world.sockets.length, 2);
  });
});

t.test('a token', async (t) => {
  t.test('that cannot be had after the application has closed changes nothing', async (t) => {
    const refusals: ((why: Error) => void)[] = [];
    const world = new FakeWorld({ token: () => new Promise((_, reject) => refusals.push(reject)) });
    void world.core.close();
    refusals[0]!(new Error('too late'));
    await turns();
    t.equal(world.core.status.state, 'closed');
    t.equal(world.clock.pending, 0);
  });

  t.test('that was asked for by a connection that is over is not said on it', async (t) => {
    const answers: ((token: string) => void)[] = [];
    const world = new FakeWorld({ token: () => new Promise((resolve) => answers.push(resolve)) });
    answers[0]!('t1');
    await turns();
    world.connected();
    world.socket.say({ type: 'renew' });
    world.socket.events.closed(1006, '');
    answers[1]!('t2');
    await turns();
    t.same(
      world.socket.said.map(({ type }) => type),
      ['hello'],
    );
  });
});

t.test('silence', async (t) => {
  t.test('after something has come is no reason to wait longer', async (t) => {
    const world = new FakeWorld({ keepAliveMs: 3000 }).connected();
    for (let i = 0; i < 2; i++) {
      world.socket.message(i + 1, 'x');
      world.clock.pass(3000);
      t.match(world.core.status, { state: 'waiting', why: 'nothing heard for 3000 ms' });
      world.waited().connected({ seq: i + 1 });
    }
    world.clock.pass(3000);
    t.match(world.core.status, { state: 'waiting', why: 'nothing heard for 3000 ms' });
  });

  t.test('is excused once for each question while the process sleeps', async (t) => {
    const world = new FakeWorld({ keepAliveMs: 3000 }).connected();
    for (let seq = 1; seq <= 3; seq++) {
      for (let i = 0; i < 10_000 && world.socket.said.length <= seq; i++) world.clock.pass(100);
      world.clock.stall(60_000);
      t.equal(world.core.status.state, 'connected');
      world.socket.message(seq, 'x');
    }
  });
});

t.test('messages without an id are told apart by where they stand', async (t) => {
  const world = new FakeWorld().connected();
  world.socket.message(1, 'a', '');
  world.socket.message(2, 'b', '');
  world.socket.message(2, 'b', '');
  world.socket.message(1, 'a', '');
  t.same(world.data, ['a', 'b']);
  world.clock.pass(200);
  t.same(world.socket.frames, [{ kind: 'ack', welcomes: 1, seq: 2 }]);
});
