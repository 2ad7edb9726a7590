import { closeReasonOf, encodeServerFrame, PinwheelError } from '@pinwheel/protocol/client';
import t from 'tap';
import { FakeWorld, sessionKey } from './kit/fake-world.js';

/** What a promise has come to by now. */
async function outcomeOf(promise: Promise<unknown>): Promise<unknown> {
  const pending = Symbol('pending');
  const settled = promise.then(
    (value) => ({ value }),
    (error) => (error instanceof PinwheelError ? { code: error.code } : { error }),
  );
  for (let i = 0; i < 8; i++) await null;
  const first = await Promise.race([settled, pending]);
  return first === pending ? 'pending' : first;
}

t.test('a first connection offers pinwheel.v1 and says hello without positions', async (t) => {
  const world = new FakeWorld();
  t.same(world.socket.protocols, ['pinwheel.v1']);
  t.same(world.statuses, [{ state: 'connecting', attempt: 1 }]);
  t.same(world.socket.sent, [], 'nothing before it is open');
  world.socket.events.opened();
  t.same(world.socket.said, [{ type: 'hello', session: sessionKey, epoch: 1 }]);
  world.socket.welcome({ stream: 's', seq: 7, recovered: false });
  const connected = { state: 'connected', resumed: false, recovered: true };
  t.same(world.core.status, connected, 'a session that begins has nothing to lose');
  t.same(world.statuses.at(-1), connected);
});

t.test('messages', async (t) => {
  t.test('text and bytes arrive as they were sent, with id and seq', async (t) => {
    const world = new FakeWorld().connected();
    world.socket.message(1, '\ufeffgrüße');
    world.socket.message(2, Uint8Array.of(0, 255));
    t.same(world.messages, [
      { data: '\ufeffgrüße', id: 'm1', seq: 1 },
      { data: Uint8Array.of(0, 255), id: 'm2', seq: 2 },
    ]);
  });

  t.test('a known id is dropped, whatever its seq, and acknowledged', async (t) => {
    const world = new FakeWorld().connected();
    world.socket.message(1, 'a', 'x');
    world.socket.message(2, 'a', 'x');
    world.socket.message(3, 'b', 'y');
    t.same(world.data, ['a', 'b']);
    world.clock.pass(200);
    t.same(world.socket.frames, [{ kind: 'ack', welcomes: 1, seq: 3 }]);
  });

  t.test('the ids of the last 1,024 are known, also on another connection', async (t) => {
    const world = new FakeWorld().connected();
    for (let seq = 1; seq <= 1025; seq++) world.socket.message(seq, String(seq));
    world.reconnect().connected({ stream: 't', seq: 0 });
    world.socket.message(1, 'forgotten', 'm1');
    world.socket.message(2, 'known', 'm3');
    world.socket.message(3, 'known', 'm1025');
    t.same(world.data.slice(1025), ['forgotten']);
  });

  t.test('replies are not numbered', async (t) => {
    const world = new FakeWorld().connected();
    world.socket.events.binary(
      encodeServerFrame({ kind: 'reply', binary: false, data: Uint8Array.of(0x68, 0x69) }),
    );
    world.socket.events.binary(encodeServerFrame({ kind: 'reply', binary: true, data: Uint8Array.of(1) }));
    t.same(world.replies, ['hi', Uint8Array.of(1)]);
    world.clock.pass(200);
    t.same(world.socket.frames, [], 'nothing to acknowledge');
  });

  t.test('a callback that throws is reported, and the messages go on', async (t) => {
    const got: unknown[] = [];
    const world = new FakeWorld({
      onMessage: ({ data }) => {
        got.push(data);
        throw new Error(`no ${data}`);
      },
      onStatus: () => {
        throw new Error('no status');
      },
    }).connected();
    world.socket.message(1, 'a');
    world.socket.message(2, 'b');
    t.same(got, ['a', 'b']);
    t.same(
      world.reported.map(String),
      ['no status', 'no status', 'no a', 'no b'].map((text) => `Error: ${text}`),
    );
    t.equal(world.core.status.state, 'connected');
  });

  t.test('after close in a callback nothing more is called', async (t) => {
    const world: FakeWorld = new FakeWorld({
      onMessage: (message) => {
        world.messages.push(message);
        void world.core.close();
      },
    });
    world.connected();
    world.socket.message(1, 'a');
    world.socket.message(2, 'b');
    t.same(world.data, ['a']);
    world.clock.pass(1000);
    t.same(world.socket.frames, [{ kind: 'ack', welcomes: 1, seq: 1 }], 'but it says that it has the first');
  });
});

t.test('acknowledgements', async (t) => {
  t.test('after 32 messages at once, else 200 ms after the first', async (t) => {
    const world = new FakeWorld().connected();
    for (let seq = 1; seq <= 40; seq++) world.socket.message(seq, 'x');
    t.same(world.socket.frames, [{ kind: 'ack', welcomes: 1, seq: 32 }]);
    world.clock.pass(199);
    t.equal(world.socket.frames.length, 1);
    world.clock.pass(1);
    t.same(world.socket.frames[1], { kind: 'ack', welcomes: 1, seq: 40 });
    world.clock.pass(10_000);
    t.equal(world.socket.frames.length, 2);
  });

  t.test('are of the stream of the newest welcome, which they count', async (t) => {
    const world = new FakeWorld().connected({ stream: 's', seq: 0 });
    world.socket.message(1, 'a');
    world.socket.welcome({ stream: 't', seq: 10 });
    world.socket.message(11, 'b');
    world.clock.pass(200);
    t.same(world.socket.frames, [{ kind: 'ack', welcomes: 2, seq: 11 }]);
    for (let i = 0; i < 254; i++) world.socket.welcome({ stream: 't', seq: 11 });
    world.socket.message(12, 'c');
    world.clock.pass(200);
    t.same(world.socket.frames.at(-1), { kind: 'ack', welcomes: 0, seq: 12 }, 'modulo 256');
    t.same(
      world.statuses.map(({ state }) => state),
      ['connecting', 'connected'],
    );
  });

  t.test(
    'of a connection that is gone are made up for by the next one, unless something is lost',
    async (t) => {
      const world = new FakeWorld().connected();
      world.socket.message(1, 'a');
      world.reconnect().connected({ seq: 1 });
      world.clock.pass(1000);
      world.reconnect().connected({ seq: 1, recovered: false });
      world.clock.pass(1000);
      t.same(
        world.sockets.map(({ frames }) => frames),
        [[], [{ kind: 'ack', welcomes: 1, seq: 1 }], []],
      );
    },
  );
});

t.test('a connection that breaks', async (t) => {
  t.test('is resumed from the position, with a higher epoch', async (t) => {
    const world = new FakeWorld().connected({ stream: 's', seq: 4 });
    world.socket.message(5, 'a');
    world.reconnect().connected({ stream: 's', seq: 5 });
    t.same(world.socket.said, [{ type: 'hello', session: sessionKey, epoch: 2, positions: [['s', 5]] }]);
    t.same(
      world.statuses.map(({ state }) => state),
      ['connecting', 'connected', 'waiting', 'connecting', 'connected'],
    );
    t.same(world.core.status, { state: 'connected', resumed: true, recovered: true });
  });

  t.test('before the first welcome has left no position', async (t) => {
    const world = new FakeWorld();
    world.socket.events.opened();
    world.reconnect();
    world.socket.events.opened();
    t.same(world.socket.said, [{ type: 'hello', session: sessionKey, epoch: 2 }]);
  });

  t.test('and lost messages: the application is told', async (t) => {
    const world = new FakeWorld().connected({ stream: 's', seq: 4 });
    world.reconnect().connected({ stream: 't', seq: 9, recovered: false });
    t.same(world.core.status, { state: 'connected', resumed: true, recovered: false });
    world.socket.welcome({ stream: 'u', seq: 0, recovered: false });
    t.same(
      world.statuses.slice(-2),
      [world.core.status, world.core.status],
      'again when it happens while the connection stands',
    );
  });

  t.test('the positions of the last four streams are kept, the newest first', async (t) => {
    const world = new FakeWorld().connected({ stream: 's1', seq: 1 });
    for (const i of [2, 3, 4, 5]) world.socket.welcome({ stream: `s${i}`, seq: i });
    world.socket.welcome({ stream: 's4', seq: 40 });
    world.reconnect().socket.events.opened();
    const [hello] = world.socket.said;
    t.same(hello?.['positions'], [
      ['s4', 40],
      ['s5', 5],
      ['s3', 3],
      ['s2', 2],
    ]);
  });

  t.test('waits a random part of a bound that doubles, up to the longest', async (t) => {
    const world = new FakeWorld({ retry: { firstMs: 100, longestMs: 1000 } });
    for (let i = 0; i < 7; i++) world.reconnect();
    const waits = world.statuses.filter((status) => status.state === 'waiting');
    t.same(
      waits.map(({ retryInMs }) => retryInMs),
      [50, 100, 200, 400, 500, 500, 500],
    );
    t.same(
      world.statuses.filter(({ state }) => state === 'connecting').map((status) => ({ ...status })),
      [1, 2, 3, 4, 5, 6, 7, 8].map((attempt) => ({ state: 'connecting', attempt })),
    );
  });

  t.test('counts as good after 5 s: before that the bound goes on growing', async (t) => {
    const world = new FakeWorld({ retry: { firstMs: 100, longestMs: 1000 } });
    const waitAfter = (heldMs: number): unknown => {
      world.connected();
      world.clock.pass(heldMs);
      world.socket.events.closed(1006, '');
      const { status } = world.core;
      world.waited();
      return status.state === 'waiting' && status.retryInMs;
    };
    t.same([waitAfter(4999), waitAfter(4999), waitAfter(5000), waitAfter(0)], [50, 100, 50, 100]);
  });

  t.test('is made anew when the server said, at most ten minutes later', async (t) => {
    for (const [reason, waitMs] of [
      [closeReasonOf(1234), 1234],
      [closeReasonOf(0), 0],
      [closeReasonOf(1e12), 600_000],
      ['{"retryAfterMs":-1}', 250],
      ['{"retryAfterMs":"5"}', 250],
      ['{"retryAfterMs"', 250],
    ] as const) {
      const world = new FakeWorld({ retry: { firstMs: 500, longestMs: 10_000 } }).connected();
      world.socket.events.closed(4000, reason);
      t.match(world.core.status, { state: 'waiting', retryInMs: waitMs }, reason);
      world.waited();
      t.equal(world.core.status.state, 'connecting');
    }
  });

  t.test('is not made as fast as the network goes though the server says so again and again', async (t) => {
    const world = new FakeWorld({ retry: { firstMs: 500, longestMs: 10_000 } }).connected();
    const waits = [0, 0, 0, 9000].map((ms) => {
      world.socket.events.closed(4000, closeReasonOf(ms));
      const { status } = world.core;
      world.waited().connected();
      return status.state === 'waiting' && status.retryInMs;
    });
    t.same(waits, [0, 500, 1000, 9000]);
  });

  t.test('with a code from 4500 to 4999 has ended the session', async (t) => {
    for (const code of [4500, 4505, 4999]) {
      const world = new FakeWorld().connected();
      const sent = world.core.send('x');
      world.socket.events.closed(code, 'no more');
      t.same(world.core.status, { state: 'closed', code, reason: 'no more' });
      t.same(await outcomeOf(sent), { code: 'unknown-outcome' });
      t.same(await outcomeOf(world.core.send('y')), { code: 'closed' });
      t.same(await outcomeOf(world.core.ended), { value: undefined });
      t.equal(world.clock.pending, 0, 'no timer is left');
    }
    for (const code of [1000, 1001, 1006, 1012, 4000, 4499, 5000]) {
      const world = new FakeWorld().connected();
      world.socket.events.closed(code, 'come again');
      t.match(world.core.status, { state: 'waiting', why: `closed with ${code} (come again)` });
    }
  });
});

t.test('a connection that is silent', async (t) => {
  t.test('is asked after two thirds of the time, and answers', async (t) => {
    const world = new FakeWorld({ keepAliveMs: 3000 }).connected();
    world.clock.pass(1999);
    t.equal(world.socket.said.length, 1);
    world.clock.pass(1);
    t.same(world.socket.said[1], { type: 'ping' });
    world.clock.pass(999);
    world.socket.say({ type: 'pong' });
    world.clock.pass(1998);
    t.equal(world.socket.said.length, 2);
    world.clock.pass(2);
    t.same(world.socket.said[2], { type: 'ping' });
    t.equal(world.core.status.state, 'connected');
  });

  t.test('and does not answer is left, and never heard again', async (t) => {
    const world = new FakeWorld({ keepAliveMs: 3000 }).connected();
    world.clock.pass(3000);
    t.match(world.core.status, { state: 'waiting', why: 'nothing heard for 3000 ms' });
    const [dead] = world.sockets;
    t.equal(dead!.closedWith?.code, 3008, 'the session waits for the client');
    dead!.message(1, 'late');
    world.waited().connected();
    const written = world.core.send('x');
    dead!.message(2, 'later');
    dead!.events.closed(1006, '');
    t.same(world.data, []);
    t.equal(world.core.status.state, 'connected');
    world.socket.taken(1);
    t.same(await outcomeOf(written), { value: undefined });
    void world.core.send('y').catch(() => {});
    t.match(world.socket.frames, [{ number: 1 }, { number: 2 }], 'what is sent leaves by the next one');
  });

  t.test('after its process has slept is asked before it is given up', async (t) => {
    const world = new FakeWorld({ keepAliveMs: 3000 }).connected();
    world.clock.stall(3_600_000);
    t.same(world.socket.said[1], { type: 'ping' });
    t.equal(world.core.status.state, 'connected');
  });

  t.test('whose answer came while its process slept is not given up', async (t) => {
    const world = new FakeWorld({ keepAliveMs: 3000 }).connected();
    world.clock.pass(2000);
    t.same(world.socket.said[1], { type: 'ping' });
    world.clock.stall(5000);
    t.equal(world.core.status.state, 'connected', 'timers come before what was read');
    world.socket.say({ type: 'pong' });
    world.clock.pass(1000);
    t.equal(world.core.status.state, 'connected');
    world.clock.pass(2000);
    t.equal(world.core.status.state, 'waiting');
  });

  t.test('is not given up by a process that stood still for a moment only', async (t) => {
    const world = new FakeWorld({ keepAliveMs: 3000 }).connected();
    world.clock.pass(2000);
    world.clock.stall(1200);
    t.equal(world.core.status.state, 'connected');
    world.socket.say({ type: 'pong' });
    world.clock.pass(1500);
    t.equal(world.core.status.state, 'connected');
  });

  t.test('is given up all the same by a page whose timers are always late', async (t) => {
    const world = new FakeWorld({ keepAliveMs: 3000 }).connected();
    for (let minutes = 0; minutes < 3; minutes++) world.clock.stall(60_000);
    t.match(world.core.status, { state: 'waiting', why: /^nothing heard for \d+ ms$/ });
  });

  t.test('whose one message takes long to come is waited for longer each time', async (t) => {
    const world = new FakeWorld({ keepAliveMs: 3000 }).connected();
    for (const ms of [3000, 4000, 6000, 10_000, 10_000]) {
      world.clock.pass(ms - 1);
      t.equal(world.core.status.state, 'connected');
      world.clock.pass(1);
      t.match(world.core.status, { state: 'waiting', why: `nothing heard for ${ms} ms` });
      world.waited().connected();
    }
    world.socket.message(1, 'at last');
    world.clock.pass(3000);
    t.match(world.core.status, { state: 'waiting', why: 'nothing heard for 3000 ms' }, 'until one has come');
  });

  t.test('while it takes what was written before is alive: the question stands behind that', async (t) => {
    const world = new FakeWorld({ keepAliveMs: 3000 }).connected();
    const send = (bytes: number): void => {
      const before = world.socket.sent.length;
      void world.core.send(new Uint8Array(bytes)).catch(() => {});
      for (const { length } of world.socket.sent.slice(before)) world.socket.bufferedAmount += length;
    };
    send(50_000);
    world.clock.pass(2000);
    t.same(world.socket.said[1], { type: 'ping' });
    for (const left of [1000, 10_000, 1]) {
      world.socket.bufferedAmount -= left;
      // more is sent than leaves
      send(20_000);
      world.clock.pass(1000);
      t.equal(world.core.status.state, 'connected', `${left} bytes have left`);
    }
    t.equal(world.socket.said.length, 2, 'it was asked once');
    send(20_000);
    world.clock.pass(1000);
    t.match(
      world.core.status,
      { state: 'waiting', why: /^nothing heard for \d+ ms$/ },
      'nothing leaves any more',
    );
  });

  t.test('is given up though the application goes on sending, and the kernel takes it', async (t) => {
    const world = new FakeWorld({ keepAliveMs: 3000 }).connected();
    world.clock.pass(2000);
    t.same(world.socket.said[1], { type: 'ping' });
    void world.core.send('to nobody').catch(() => {});
    world.clock.pass(1000);
    t.match(world.core.status, { state: 'waiting', why: 'nothing heard for 3000 ms' });
  });

  t.test('is asked at once when the network has changed', async (t) => {
    const world = new FakeWorld({ keepAliveMs: 3000 }).connected();
    world.core.networkChanged();
    world.core.networkChanged();
    t.same(world.socket.said.slice(1), [{ type: 'ping' }]);
    world.clock.pass(1000);
    t.equal(world.core.status.state, 'waiting');
  });
});

t.test(
  'the network changes while a connection is tried: when that fails the next is tried soon',
  async (t) => {
    const world = new FakeWorld({ retry: { firstMs: 100, longestMs: 100_000 }, connectTimeoutMs: 5000 });
    for (let i = 0; i < 9; i++) world.reconnect();
    world.core.networkChanged();
    world.clock.pass(5000);
    t.match(world.core.status, { state: 'waiting', retryInMs: 50 });
    world.waited();
    world.clock.pass(5000);
    t.match(world.core.status, { state: 'waiting', retryInMs: 50_000 }, 'once');
  },
);

t.test('waiting for the next connection is cut short when the network has changed', async (t) => {
  const world = new FakeWorld({ retry: { firstMs: 100, longestMs: 100_000 } });
  for (let i = 0; i < 9; i++) world.reconnect();
  world.socket.events.closed(1006, '');
  world.core.networkChanged();
  t.match(world.core.status, { state: 'waiting', retryInMs: 50 }, 'to a random time all the same');
  world.clock.pass(50);
  world.socket.events.closed(4000, closeReasonOf(60_000));
  world.core.networkChanged();
  t.match(
    world.core.status,
    { state: 'waiting', retryInMs: 60_000 },
    'not when the server has said how long',
  );
});

t.test('what takes too long is given up', async (t) => {
  await t.test('a socket that does not open', async (t) => {
    const world = new FakeWorld({ connectTimeoutMs: 1000 });
    world.clock.pass(1000);
    t.match(world.core.status, { state: 'waiting', why: 'not open within 1000 ms' });
    t.equal(world.socket.closedWith?.code, 3008);
    world.socket.events.opened();
    t.same(world.socket.said, [], 'also when it opens late');
  });

  await t.test('a server that does not welcome', async (t) => {
    const world = new FakeWorld({ connectTimeoutMs: 1000 });
    world.socket.events.opened();
    for (let tens = 0; tens < 3; tens++) {
      world.clock.pass(10_000);
      world.socket.say({ type: 'pong' });
    }
    world.clock.pass(9999);
    t.equal(world.core.status.state, 'connecting', 'an edge says within 30 s that there is no node');
    world.clock.pass(1);
    t.match(world.core.status, { state: 'waiting', why: 'no welcome within 40000 ms' });
  });

  await t.test('a server that is dead before its welcome', async (t) => {
    const world = new FakeWorld({ keepAliveMs: 3000 });
    world.socket.events.opened();
    world.core.networkChanged();
    t.same(world.socket.said.slice(1), [{ type: 'ping' }], 'is asked');
    world.clock.pass(1000);
    t.match(world.core.status, { state: 'waiting', why: 'nothing heard for 1000 ms' });
  });

  await t.test('a socket that does not open behind a token that was late', async (t) => {
    const token = new Promise<string>((resolve) => {
      setImmediate(resolve, 'late');
    });
    const world = new FakeWorld({ connectTimeoutMs: 1000, token: () => token });
    world.clock.pass(900);
    await token;
    await new Promise(setImmediate);
    t.equal(world.sockets.length, 1);
    world.clock.pass(99);
    t.equal(world.core.status.state, 'connecting');
    world.clock.pass(1);
    t.match(world.core.status, { state: 'waiting', why: 'not open within 1000 ms' });
  });

  await t.test('a token that does not come', async (t) => {
    const world = new FakeWorld({ connectTimeoutMs: 1000, token: () => new Promise(() => {}) });
    t.equal(world.sockets.length, 0);
    world.clock.pass(1000);
    t.match(world.core.status, { state: 'waiting', why: 'the token did not come within 1000 ms' });
  });
});

t.test('a server that does not speak pinwheel.v1 is left, and tried again', async (t) => {
  for (const speak of [
    (world: FakeWorld) => world.socket.events.text('hello'),
    (world: FakeWorld) => world.socket.events.text('{"type":"unheard-of"}'),
    (world: FakeWorld) => world.socket.events.binary(Uint8Array.of()),
    (world: FakeWorld) => world.socket.events.binary(Uint8Array.of(9)),
    (world: FakeWorld) => world.socket.message(1, 'before the welcome'),
    (world: FakeWorld) => world.socket.welcome({ session: 'the-session-of-another' }),
    (world: FakeWorld) => world.socket.welcome({ taken: 1 }),
  ]) {
    const world = new FakeWorld();
    world.socket.events.opened();
    speak(world);
    t.match(world.core.status, { state: 'waiting', why: /^the server broke the protocol: / });
    t.equal(world.socket.closedWith?.code, 4504);
    t.same(world.data, []);
  }
});

t.test('what is sent', async (t) => {
  await t.test('waits for the welcome, is numbered, and resolves when it is taken', async (t) => {
    const world = new FakeWorld();
    const one = world.core.send('one');
    world.socket.events.opened();
    t.same(world.socket.frames, []);
    world.socket.welcome();
    const two = world.core.send(Uint8Array.of(2));
    t.same(world.socket.frames, [
      { kind: 'message', number: 1, binary: false, data: new TextEncoder().encode('one') },
      { kind: 'message', number: 2, binary: true, data: Uint8Array.of(2) },
    ]);
    world.socket.taken(1);
    t.same([await outcomeOf(one), await outcomeOf(two)], [{ value: undefined }, 'pending']);
    world.socket.taken(2);
    t.same(await outcomeOf(two), { value: undefined });
  });

  await t.test('is sent again from where the server is, with the same numbers', async (t) => {
    const world = new FakeWorld().connected();
    const sent = ['a', 'b', 'c'].map((data) => world.core.send(data));
    world.socket.taken(1);
    world.reconnect();
    const late = world.core.send('d');
    world.connected({ taken: 2 });
    t.same(
      world.socket.frames.map((frame) => 'number' in frame && frame.number),
      [3, 4],
    );
    world.socket.taken(4);
    const all = [...sent, late].map(outcomeOf);
    t.same(
      await Promise.all(all),
      [1, 2, 3, 4].map(() => ({ value: undefined })),
    );
  });

  await t.test('is not sent again when the stream changes: the edge has it', async (t) => {
    const world = new FakeWorld().connected();
    const sent = world.core.send('a');
    world.socket.welcome({ stream: 't' });
    t.equal(world.socket.frames.length, 1);
    world.socket.welcome({ stream: 'u', taken: 1 });
    t.same(await outcomeOf(sent), { value: undefined });
  });

  await t.test('goes on with its numbers at a server that has forgotten the session', async (t) => {
    const world = new FakeWorld().connected();
    void world.core.send('a');
    world.socket.taken(1);
    const sent = world.core.send('b');
    world.reconnect().connected({ stream: 't', recovered: false, taken: 0 });
    t.match(world.socket.frames, [{ number: 2 }]);
    world.socket.taken(2);
    t.same(await outcomeOf(sent), { value: undefined });
  });

  await t.test('may change after the call', async (t) => {
    const world = new FakeWorld();
    const bytes = Uint8Array.of(1);
    void world.core.send(bytes);
    bytes[0] = 9;
    world.connected();
    void world.core.send(bytes);
    bytes[0] = 10;
    t.match(world.socket.frames, [{ data: Uint8Array.of(1) }, { data: Uint8Array.of(9) }]);
  });

  await t.test('is refused when it cannot be sent', async (t) => {
    const world = new FakeWorld();
    const refused = async (promise: Promise<unknown>, code: string): Promise<void> => {
      t.same(await outcomeOf(promise), { code });
    };
    await refused(world.core.send(new Uint8Array(1_048_577)), 'too-large');
    await refused(world.core.send('€'.repeat(349_526)), 'too-large');
    await refused(world.core.send(7 as never), 'bad-request');
    for (const user of ['', 'é'.repeat(129), '\ud800', 7 as never]) {
      await refused(world.core.sendTo(user, 'x'), 'bad-user');
    }
    for (const wait of [true, 'Client', null]) {
      await refused(world.core.sendTo('bob', 'x', { wait } as never), 'bad-option');
    }
  });
});

t.test('a message to another user', async (t) => {
  await t.test('resolves with its receipt, before or after it is taken', async (t) => {
    const world = new FakeWorld().connected();
    const one = world.core.sendTo('bob', 'hi', { wait: 'client' });
    const two = world.core.sendTo('eve', Uint8Array.of(1));
    t.match(world.socket.frames, [
      { kind: 'send', number: 1, to: 'bob', waitForClient: true, binary: false },
      { kind: 'send', number: 2, to: 'eve', waitForClient: false, binary: true },
    ]);
    const receipts = [
      { user: 'bob', status: 'delivered', sessions: 2 },
      { user: 'eve', status: 'offline' },
    ] as const;
    world.socket.say({ type: 'receipt', number: 1, receipt: receipts[0] });
    world.socket.taken(2);
    t.same([await outcomeOf(one), await outcomeOf(two)], [{ value: receipts[0] }, 'pending']);
    world.socket.say({ type: 'receipt', number: 2, receipt: receipts[1] });
    t.same(await outcomeOf(two), { value: receipts[1] });
    world.socket.say({ type: 'receipt', number: 1, receipt: receipts[1] });
    world.socket.say({ type: 'receipt', number: 77, receipt: receipts[1] });
    t.equal(world.core.status.state, 'connected', 'a receipt that nobody waits for is passed over');
  });

  await t.test('whose receipt was lost with the connection has an unknown outcome', async (t) => {
    const world = new FakeWorld({ sendTimeoutMs: 5000 }).connected();
    const sent = world.core.sendTo('bob', 'hi');
    world.socket.events.closed(1006, '');
    world.waited().connected({ taken: 1 });
    t.same(await outcomeOf(sent), 'pending', 'it may still come');
    world.clock.pass(5000);
    t.same(await outcomeOf(sent), { code: 'unknown-outcome' });
  });
});

t.test('close', async (t) => {
  await t.test('ends the session with 1000, and what waits', async (t) => {
    const world = new FakeWorld().connected();
    const sent = world.core.send('x');
    const closed = world.core.close();
    t.equal(world.core.close(), closed);
    t.equal(world.socket.closedWith?.code, 1000);
    t.same(await outcomeOf(sent), { code: 'unknown-outcome' });
    t.same(await outcomeOf(world.core.send('y')), { code: 'closed' });
    t.same(await outcomeOf(closed), 'pending');
    world.socket.events.closed(1006, '');
    t.same(await outcomeOf(closed), { value: undefined });
    t.same(world.core.status, { state: 'closed', code: 1000, reason: 'closed by the application' });
    t.equal(world.clock.pending, 0);
    t.equal(world.sockets.length, 1);
  });

  await t.test('does not wait long for a socket that stays open', async (t) => {
    const world = new FakeWorld().connected();
    const closed = world.core.close();
    world.clock.pass(5000);
    t.same(await outcomeOf(closed), { value: undefined });
    t.equal(world.clock.pending, 0);
  });

  await t.test('of a socket that is not open yet is over at once, whatever is heard of it', async (t) => {
    const world = new FakeWorld();
    const sent = world.core.send('x');
    t.same(await outcomeOf(world.core.close()), { value: undefined });
    t.equal(world.socket.closedWith?.code, 1000);
    t.same(await outcomeOf(sent), { code: 'closed' });
    t.equal(world.clock.pending, 0);
    world.socket.events.opened();
    world.socket.events.closed(1006, '');
    t.equal(world.statuses.filter(({ state }) => state === 'closed').length, 1);
    t.same(world.socket.sent, []);
  });

  await t.test('without a connection is over at once', async (t) => {
    const world = new FakeWorld();
    world.socket.events.closed(1006, '');
    const sent = world.core.send('x');
    t.same(await outcomeOf(world.core.close()), { value: undefined });
    t.same(await outcomeOf(sent), { code: 'closed' });
    world.clock.pass(600_000);
    t.equal(world.sockets.length, 1);
    t.equal(world.clock.pending, 0);
  });
});

t.test('the token', async (t) => {
  await t.test('goes as a subprotocol beside pinwheel.v1', async (t) => {
    t.same(new FakeWorld({ token: 'a.b-c_d' }).socket.protocols, ['pinwheel.v1', 'bearer.a.b-c_d']);
  });

  await t.test('of a function is asked for every connection', async (t) => {
    let count = 0;
    const world = new FakeWorld({ token: () => `t${++count}` });
    world.reconnect();
    t.same(
      world.sockets.map(({ protocols }) => protocols[1]),
      ['bearer.t1', 'bearer.t2'],
    );
  });

  await t.test('of an asynchronous function too, unless it comes too late', async (t) => {
    const answers: ((token: string) => void)[] = [];
    const world = new FakeWorld({ token: () => new Promise((resolve) => answers.push(resolve)) });
    answers[0]!('t1');
    for (let i = 0; i < 4; i++) await null;
    t.same(world.socket.protocols, ['pinwheel.v1', 'bearer.t1']);
    world.reconnect();
    void world.core.close();
    answers[1]!('t2');
    for (let i = 0; i < 4; i++) await null;
    t.equal(world.sockets.length, 1);
  });

  await t.test('is asked for again after a wait when it cannot be had', async (t) => {
    const answers = [
      () => {
        throw new Error('no network');
      },
      () => Promise.reject(new Error('not now')),
      () => 'not a token',
      () => 'good',
    ];
    const world = new FakeWorld({ token: () => answers.shift()!() });
    t.match(world.core.status, { state: 'waiting', why: 'the token could not be had: no network' });
    world.waited();
    for (let i = 0; i < 4; i++) await null;
    t.match(world.core.status, { state: 'waiting', why: 'the token could not be had: not now' });
    world.waited();
    const { status } = world.core;
    t.match(status, { state: 'waiting', why: /token must be/ });
    t.notMatch(status, { why: /not a token/ }, 'a token is not repeated anywhere');
    world.waited();
    t.same(world.socket.protocols, ['pinwheel.v1', 'bearer.good']);
  });

  await t.test('is renewed when the server says so', async (t) => {
    let count = 0;
    const world = new FakeWorld({ token: () => `t${++count}` }).connected();
    world.socket.say({ type: 'renew' });
    t.same(world.socket.said[1], { type: 'token', token: 't2' });
    const fixed = new FakeWorld({ token: 'always' }).connected();
    fixed.socket.say({ type: 'renew' });
    t.equal(fixed.socket.said.length, 1, 'a string has no successor');
    const broken = new FakeWorld({ token: () => (++count < 4 ? 't' : (undefined as never)) }).connected();
    broken.socket.say({ type: 'renew' });
    t.match(broken.reported, [{ code: 'bad-option' }]);
    t.equal(broken.core.status.state, 'connected');
  });
});

t.test('an option out of its bounds is refused', async (t) => {
  for (const [options, message] of [
    [{ maxQueuedMessages: 0 }, 'maxQueuedMessages is 0; it must be a whole number between 1 and 65536'],
    [{ keepAliveMs: 1.5 }, 'keepAliveMs is 1.5; it must be a whole number between 100 and 3600000'],
    [
      { retry: { firstMs: 2, longestMs: 1 } },
      'retry.firstMs is 2; it must be a whole number between 1 and 1',
    ],
    [{ sendTimeoutMs: '1' as never }, 'sendTimeoutMs is 1; it must be a whole number between 1 and 3600000'],
  ] as const) {
    t.throws(() => new FakeWorld(options), { code: 'bad-option', message });
  }
});

t.test('a message that is larger than the server takes is refused, and ends nothing', async (t) => {
  const world = new FakeWorld();
  const early = world.core.send('x'.repeat(101));
  const small = world.core.send('small');
  world.connected({ maxMessageBytes: 100 });
  await t.rejects(early, { code: 'too-large', message: /101 bytes; the server takes at most 100/ });
  await t.rejects(world.core.send(new Uint8Array(101)), { code: 'too-large' });
  await t.rejects(world.core.sendTo('bob', 'x'.repeat(101)), { code: 'too-large' });
  world.socket.taken(1);
  await small;
  t.match(world.socket.frames, [{ kind: 'message', number: 1 }]);
  t.equal(world.socket.frames.length, 1);
});

t.test('what the next server does not take is given up, with what was written before it', async (t) => {
  const world = new FakeWorld().connected({ maxMessageBytes: 1000 });
  const sent = ['small', 'x'.repeat(101), 'last'].map((data) => outcomeOf(world.core.send(data)));
  t.equal(world.socket.frames.length, 3);
  world.reconnect(4000).connected({ maxMessageBytes: 100 });
  t.match(world.socket.frames, [{ number: 3 }], 'numbers have no gap');
  t.equal(world.socket.frames.length, 1);
  world.socket.taken(3);
  const lost = { code: 'unknown-outcome' };
  t.match(await Promise.all(sent), [lost, lost, { value: undefined }]);
});

t.test('a service that takes no messages leaves none in doubt, but what is for others', async (t) => {
  const world = new FakeWorld().connected();
  const message = outcomeOf(world.core.send('hello'));
  const send = outcomeOf(world.core.sendTo('bob', 'hello'));
  world.socket.events.closed(4501, 'this service takes no messages from clients');
  t.same(await message, { code: 'not-allowed' });
  t.same(await send, { code: 'unknown-outcome' });
});

t.test('what the application fails on is not in the way for ever', async (t) => {
  const world = new FakeWorld({ sendTimeoutMs: 5000 }).connected();
  const bad = t.rejects(world.core.send('bad'), { code: 'unknown-outcome' });
  for (let times = 0; times < 20; times++) {
    world.reconnect(4004).connected();
    if (world.socket.frames.length === 0) break;
    t.match(world.socket.frames, [{ number: 1 }], 'it is sent again while it is waited for');
  }
  await bad;
  t.same(world.socket.frames, []);
  const good = world.core.send('good');
  t.match(world.socket.frames, [{ number: 2 }]);
  world.socket.taken(2);
  await good;
});

t.test('what was handled before the application closes is acknowledged', async (t) => {
  const acksOf = (world: FakeWorld) => world.socket.frames.filter(({ kind }) => kind === 'ack');
  const world = new FakeWorld().connected();
  world.socket.message(1, 'one');
  world.core.close();
  t.match(acksOf(world), [{ seq: 1 }]);
  const within: FakeWorld = new FakeWorld({ onMessage: () => within.core.close() }).connected();
  within.socket.message(1, 'one');
  t.match(acksOf(within), [{ seq: 1 }]);
  const idle = new FakeWorld().connected();
  idle.core.close();
  t.same(acksOf(idle), []);
});

t.test('a second welcome is answered with what the client has', async (t) => {
  const world = new FakeWorld().connected();
  world.socket.message(1, 'one');
  world.clock.pass(200);
  world.socket.welcome({ stream: 'other', seq: 7 });
  world.clock.pass(200);
  const acks = world.socket.frames.filter(({ kind }) => kind === 'ack');
  t.match(acks, [
    { welcomes: 1, seq: 1 },
    { welcomes: 2, seq: 7 },
  ]);
});

t.test('a callback that fails later is reported as one that throws', async (t) => {
  const world = new FakeWorld({
    onMessage: (async () => {
      throw new Error('later');
    }) as () => void,
  }).connected();
  world.socket.message(1, 'one');
  for (let i = 0; i < 4; i++) await null;
  t.match(world.reported, [{ message: 'later' }]);
  t.equal(world.core.status.state, 'connected');
});

t.test('a token', async (t) => {
  await t.test('that is none at its renewal breaks nothing', async (t) => {
    for (const none of ['', 'x'.repeat(8193), { token: 'x' }, 7, Promise.resolve('a b')] as string[]) {
      let isFirst = true;
      const token = (): string => {
        const given = isFirst ? 'good' : none;
        isFirst = false;
        return given;
      };
      const world = new FakeWorld({ token }).connected();
      world.socket.say({ type: 'renew' });
      for (let i = 0; i < 4; i++) await null;
      t.match(world.reported, [{ code: 'bad-option' }]);
      t.equal(world.socket.said.length, 1, 'nothing but the hello is said');
      t.equal(world.core.status.state, 'connected');
    }
  });

  await t.test('of another shape is asked for again', async (t) => {
    const world = new FakeWorld({ token: (() => ({ token: 'x' })) as unknown as () => string });
    t.match(world.core.status, { state: 'waiting', why: /token must be/ });
  });

  await t.test('that has ended and has no successor is the end', async (t) => {
    const fixed = new FakeWorld({ token: 'always' }).connected();
    fixed.socket.events.closed(4005, 'the token has ended');
    t.match(fixed.core.status, { state: 'closed', code: 4005 });
    const fresh = new FakeWorld({ token: () => 'fresh' }).connected();
    fresh.socket.events.closed(4005, 'the token has ended');
    t.match(fresh.core.status, { state: 'waiting' });
  });
});
