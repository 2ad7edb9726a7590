import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { merge, restore, stateOf } from '../src/moves/merge.js';
import type { HeldUser } from '../src/users/held-user.js';
import type { UserState } from '../src/users/user-state.js';
import { FakeLink } from './kit/fake-link.js';
import { attach, here, messageTo, OneNode, type OneNodeOptions } from './kit/one-node.js';

/** As it comes out of a call between nodes. */
const travel = (held: HeldUser, node: OneNode): UserState =>
  JSON.parse(JSON.stringify(stateOf(held, node.second)));

/** Two nodes that hold the same user, each in a stream of its own: `a1` and `b1`. */
function two(options: OneNodeOptions = {}) {
  const [a, b] = [new OneNode({ ...options, streams: 'a' }), new OneNode({ ...options, streams: 'b' })];
  return { a, b, heldByA: a.hold(), heldByB: b.hold() };
}

/** Texts of messages that a link was told to write. */
const texts = (link: FakeLink): readonly unknown[] =>
  link
    .take()
    .filter(([frame]) => frame === 'message')
    .map(([, , , , , text]) => text);

const kept = (held: HeldUser): readonly string[] =>
  [...held.inbox!.after(0)].map(({ data }) => Buffer.from(data).toString());

/** Hands the user of `from` over to `to`, which has it already or not. */
function move(from: OneNode, held: HeldUser, to: OneNode, isWhole = true): HeldUser {
  const state = travel(held, from);
  const there = to.users.get(held.user);
  if (there === undefined) {
    const restored = to.hold(held.user);
    restore(restored, state, to.clock);
    return restored;
  }
  merge(there, state, isWhole, to.clock);
  return there;
}

interface Step {
  readonly key: string;
  readonly does: 'attach' | 'detach' | 'send' | 'acknowledge' | 'process' | 'end';
  readonly amount: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  key: fc.constantFrom('a', 'b', 'c'),
  does: fc.constantFrom('attach', 'detach', 'send', 'send', 'send', 'acknowledge', 'process', 'end'),
  amount: fc.nat(5),
});

function live(node: OneNode, held: HeldUser, steps: readonly Step[]): void {
  for (const { key, does, amount } of steps) {
    const session = held.sessionOf(key);
    if (does === 'attach')
      attach(held, new FakeLink(key), key, { acknowledges: key !== 'c', positions: here(held, amount) });
    else if (does === 'send') node.send(held, ...Array.from({ length: amount }, (_, i) => `${key}${i}`));
    else if (session === undefined) continue;
    else if (does === 'detach') held.detach(session);
    else if (does === 'acknowledge') held.acknowledged(session, session.written - amount);
    else if (does === 'process') session.processed(session.taken + amount);
    else if (held.sessions.length > 1) held.ended(session, 1000, '');
  }
}

t.test('whatever a user has been through, it arrives as it was', async () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { a, b, heldByA } = two();
      attach(heldByA, new FakeLink(), 'first');
      live(a, heldByA, steps);
      heldByA.absorbed = [{ stream: 'older', from: 3, at: 1 }];
      heldByA.contested = new Set(['n3']);
      b.users.delete(b.users.get('alice')!);
      const state = travel(heldByA, a);
      const there = b.hold();
      restore(there, state, b.clock);
      const again = travel(there, b);
      if (!isDeepStrictEqual(again, state)) {
        throw new Error(`${JSON.stringify(again)} is not ${JSON.stringify(state)}`);
      }
      if (a.users.sessionCount !== b.users.sessionCount) throw new Error('sessions were miscounted');
    }),
    { numRuns: 200 },
  );
});

t.test('a user that has moved', async (t) => {
  const a = new OneNode({ streams: 'a' });
  const b = new OneNode({ streams: 'b' });
  const held = a.hold();
  const { session } = attach(held, new FakeLink(), 'a');
  a.send(held, '1', '2', '3');
  held.acknowledged(session, 1);
  session.processed(9);
  const moved = move(a, held, b);

  await t.test('is the same stream, and its sessions are expected', async (t) => {
    t.equal(moved.stream, 'a1');
    t.equal(moved.inbox?.next, 4);
    t.match(moved.sessions, [
      { id: 'a', link: undefined, taken: 9, accepted: 9, acked: 1, awayUntil: 60_000 },
    ]);
    t.same(b.send(moved, '4'), [{ user: 'alice', status: 'queued' }]);
  });

  await t.test('sends a session what it has not had, and nothing else', async (t) => {
    const link = new FakeLink();
    t.match(attach(moved, link, 'a', { positions: here(moved, 2) }), { seq: 2, recovered: true });
    t.same(texts(link), ['3', '4']);
  });

  await t.test('recognises what was sent before', async (t) => {
    const [first] = travel(held, a).seen;
    const again = messageTo('alice', '1', { id: first!.id, repeated: true });
    t.equal(b.deliver([again]).receipts[0]?.status, 'delivered');
    t.equal(moved.inbox?.next, 5);
  });
});

t.test('a user comes to a node with less room: what had to go is told', async (t) => {
  const a = new OneNode({ streams: 'a' });
  const b = new OneNode({ maxMessages: 2, streams: 'b' });
  const held = a.hold();
  held.detach(attach(held, new FakeLink(), 'a').session);
  a.send(held, '1', '2', '3', '4');
  const moved = move(a, held, b);
  t.equal(moved.inbox?.next, 5);
  const link = new FakeLink();
  t.match(attach(moved, link, 'a', { positions: here(moved, 0) }), { seq: 2, recovered: false });
  t.same(texts(link), ['3', '4']);
});

t.test('two nodes have held a user, and one becomes the holder', async (t) => {
  await t.test('its sessions get what was kept at the other, once', async (t) => {
    const { a, b, heldByA, heldByB } = two();
    heldByA.detach(attach(heldByA, new FakeLink(), 'phone').session);
    const laptop = new FakeLink();
    attach(heldByB, laptop, 'laptop');
    a.send(heldByA, 'a1', 'a2');
    b.send(heldByB, 'b1', 'b2');
    t.same(texts(laptop), ['b1', 'b2']);
    move(a, heldByA, b);
    t.same(texts(laptop), ['a1', 'a2']);
    const phone = new FakeLink();
    attach(heldByB, phone, 'phone', { positions: [{ stream: 'a1', seq: 0 }] });
    t.same([...texts(phone)].sort(), ['a1', 'a2', 'b1', 'b2']);
    t.same(b.send(heldByB, 'both'), [{ user: 'alice', status: 'delivered', sessions: 2 }]);
    t.same([texts(laptop), texts(phone)], [['both'], ['both']]);
  });

  await t.test('sessions at different places each get what they miss', async (t) => {
    const { a, b, heldByA, heldByB } = two();
    const places: readonly (readonly [key: string, seq: number])[] = [
      ['one', 1],
      ['two', 3],
    ];
    for (const [key] of places) attach(heldByA, new FakeLink(), key);
    a.send(heldByA, '1', '2', '3', '4');
    attach(heldByB, new FakeLink(), 'third');
    move(a, heldByA, b);
    const got = places.map(([key, seq]) => {
      const link = new FakeLink();
      attach(heldByB, link, key, { positions: [{ stream: 'a1', seq }] });
      return texts(link);
    });
    t.same(got, [['2', '3', '4'], ['4']]);
  });

  await t.test('a message that both have is one, with both its places', async (t) => {
    const { a, b, heldByA, heldByB } = two();
    const both = { id: 'id-both', repeated: true };
    attach(heldByA, new FakeLink(), 'phone');
    const laptop = new FakeLink();
    attach(heldByB, laptop, 'laptop');
    a.deliver([messageTo('alice', 'x'), messageTo('alice', 'both', both)]);
    b.deliver([messageTo('alice', 'both', both), messageTo('alice', 'y')]);
    texts(laptop);
    move(a, heldByA, b);
    t.same(kept(heldByB), ['both', 'y', 'x']);
    t.equal(heldByB.inbox?.seqOf({ stream: 'a1', seq: 2 }), 1);
    t.same(texts(laptop), ['x']);
    const phone = new FakeLink();
    attach(heldByB, phone, 'phone', { positions: [{ stream: 'a1', seq: 2 }] });
    t.same(texts(phone), ['y']);
  });

  await t.test('a message that both have had, and one of them has let go of', async (t) => {
    const both = { id: 'id-both', repeated: true };
    const situation = () => {
      const all = two();
      const [phone, laptop] = [new FakeLink(), new FakeLink()];
      const sessions = {
        phone: attach(all.heldByA, phone, 'phone').session,
        laptop: attach(all.heldByB, laptop, 'laptop').session,
      };
      all.a.deliver([messageTo('alice', 'x'), messageTo('alice', 'both', both)]);
      all.b.deliver([messageTo('alice', 'both', both)]);
      t.same([texts(phone), texts(laptop)], [['x', 'both'], ['both']]);
      return { ...all, phone, laptop, sessions };
    };

    await t.test('as its session here has acknowledged it: that one does not get it again', async (t) => {
      const { a, b, heldByA, heldByB, laptop, sessions } = situation();
      heldByB.acknowledged(sessions.laptop, 1);
      t.same(kept(heldByB), []);
      move(a, heldByA, b);
      t.same(texts(laptop), ['x']);
      t.same(kept(heldByB), ['x', 'both'], 'it is kept for the others');
      const phone = new FakeLink();
      attach(heldByB, phone, 'phone', { positions: [{ stream: 'a1', seq: 1 }] });
      t.same(texts(phone), ['both']);
      const [again] = b.deliver([messageTo('alice', 'both', both)]).receipts;
      t.match(again, { status: 'delivered' }, 'as it was once');
    });

    await t.test('as its session there has acknowledged it: nor does that one', async (t) => {
      const { a, b, heldByA, heldByB, sessions } = situation();
      heldByA.acknowledged(sessions.phone, 2);
      move(a, heldByA, b);
      t.same(kept(heldByB), ['both']);
      const phone = new FakeLink();
      attach(heldByB, phone, 'phone', { positions: [{ stream: 'a1', seq: 2 }] });
      t.same(texts(phone), []);
    });

    await t.test(
      'but one that came later, and never had it, does; in doubt it comes once more',
      async (t) => {
        const { a, b, heldByA, heldByB, laptop, sessions } = situation();
        heldByB.acknowledged(sessions.laptop, 1);
        // it lost its link to a before it had what is kept there
        const phone = new FakeLink();
        const fresh = attach(heldByB, phone, 'phone', { positions: [{ stream: 'a1', seq: 1 }] });
        t.match(fresh, { seq: 1, recovered: false });
        move(a, heldByA, b);
        t.same(texts(phone), ['both']);
        t.same(texts(laptop), ['x', 'both']);
      },
    );

    await t.test('nor is one passed by that lost it there', async (t) => {
      const { a, b, heldByA, heldByB, sessions } = situation();
      heldByA.acknowledged(sessions.phone, 2);
      attach(heldByA, new FakeLink(), 'tablet', { positions: [{ stream: 'older', seq: 1 }] });
      move(a, heldByA, b);
      const tablet = new FakeLink();
      attach(heldByB, tablet, 'tablet', { positions: [{ stream: 'a1', seq: 2 }] });
      t.same(texts(tablet), ['both']);
    });

    await t.test('though an older node does not say where it stood: it comes once more', async (t) => {
      const { a, b, heldByA, heldByB, sessions } = situation();
      heldByA.acknowledged(sessions.phone, 2);
      const state = travel(heldByA, a);
      merge(
        heldByB,
        { ...state, seen: state.seen.map(({ id, sessions }) => ({ id, sessions })) },
        true,
        b.clock,
      );
      const phone = new FakeLink();
      attach(heldByB, phone, 'phone', { positions: [{ stream: 'a1', seq: 2 }] });
      t.same(texts(phone), ['both']);
    });
  });

  await t.test(
    'a session that came over before its user did: it gets what it had not had there',
    async (t) => {
      const { a, b, heldByA, heldByB } = two();
      const { session } = attach(heldByA, new FakeLink(), 'phone');
      a.send(heldByA, '1', '2', '3');
      session.processed(4);
      const phone = new FakeLink();
      const fresh = attach(heldByB, phone, 'phone', { positions: [{ stream: 'a1', seq: 2 }] });
      t.equal(fresh.recovered, false);
      move(a, heldByA, b);
      t.same(texts(phone), ['3']);
      t.match(fresh.session, { taken: 4, accepted: 4 });
      t.equal(heldByB.sessions.length, 1);
    },
  );

  await t.test('what the application has taken of a session counts wherever it was', async (t) => {
    const { a, b, heldByA, heldByB } = two();
    const there = attach(heldByA, new FakeLink(), 'phone').session;
    const here = attach(heldByB, new FakeLink(), 'phone', { epoch: 2 }).session;
    there.processed(3);
    there.announced = true;
    here.accepted = 8;
    here.processed(7);
    move(a, heldByA, b);
    t.match(here, { taken: 7, accepted: 8, announced: true, epoch: 2 });
  });

  await t.test('the newer connection of a session that is away counts', async (t) => {
    const { a, b, heldByA, heldByB } = two();
    attach(heldByA, new FakeLink(), 'phone', { epoch: 3 });
    const here = attach(heldByB, new FakeLink(), 'phone').session;
    heldByB.detach(here);
    move(a, heldByA, b);
    t.equal(here.epoch, 3);
  });

  await t.test('but the connection that is attached is told when the newer one comes', async (t) => {
    const { a, b, heldByA, heldByB } = two();
    attach(heldByA, new FakeLink(), 'phone', { epoch: 3 });
    const older = new FakeLink();
    attach(heldByB, older, 'phone');
    move(a, heldByA, b);
    attach(heldByB, new FakeLink(), 'phone', { epoch: 3 });
    t.match(older.take(), [['end']]);
  });

  await t.test('who may have the user, too, is asked by the one who goes on', async (t) => {
    const { a, b, heldByA, heldByB } = two();
    heldByA.contested = new Set(['n3']);
    heldByB.contested = new Set(['n4']);
    move(a, heldByA, b);
    t.same([...heldByB.contested].sort(), ['n3', 'n4']);
  });

  await t.test('at the bound the oldest go, and whoever was behind is told', async (t) => {
    const { a, b, heldByA, heldByB } = two({ maxMessages: 3 });
    heldByA.detach(attach(heldByA, new FakeLink(), 'phone').session);
    heldByB.detach(attach(heldByB, new FakeLink(), 'laptop').session);
    a.send(heldByA, 'a1', 'a2');
    b.send(heldByB, 'b1', 'b2');
    move(a, heldByA, b);
    t.same(kept(heldByB), ['b2', 'a1', 'a2']);
    const laptop = new FakeLink();
    t.notOk(attach(heldByB, laptop, 'laptop', { positions: here(heldByB, 0) }).recovered);
    t.same(texts(laptop), ['b2', 'a1', 'a2']);
  });
});

t.test('what stood in the stream of the holder comes back by way of another one', async (t) => {
  const { a, b, heldByA, heldByB } = two();
  const [phone, tablet] = [new FakeLink(), new FakeLink()];
  const sessions = [attach(heldByA, phone, 'phone'), attach(heldByA, tablet, 'tablet')];
  a.send(heldByA, '1', '2');
  merge(heldByB, travel(heldByA, a), false, b.clock);
  for (const { session } of sessions) heldByA.acknowledged(session, 2);
  t.same(
    [texts(phone), texts(tablet)],
    [
      ['1', '2'],
      ['1', '2'],
    ],
  );
  heldByA.detach(sessions[1]!.session);
  attach(heldByB, new FakeLink(), 'laptop');
  move(b, heldByB, a);

  await t.test('who has had it there does not get it again', async (t) => {
    t.same(texts(phone), []);
    attach(heldByA, tablet, 'tablet', { positions: here(heldByA, 2) });
    t.same(texts(tablet), []);
    a.send(heldByA, '3');
    t.same([texts(phone), texts(tablet)], [['3'], ['3']]);
  });

  await t.test('who has not, does', async (t) => {
    const laptop = new FakeLink();
    attach(heldByA, laptop, 'laptop', { positions: [{ stream: 'b1', seq: 0 }] });
    t.same(texts(laptop), ['1', '2', '3']);
  });
});

t.test('a session with a position in a stream that was merged', async (t) => {
  await t.test('has lost nothing when the holder gave everything it had', async (t) => {
    const { a, b, heldByA, heldByB } = two();
    attach(heldByA, new FakeLink(), 'phone');
    attach(heldByB, new FakeLink(), 'laptop');
    a.send(heldByA, '1', '2');
    move(a, heldByA, b);
    const link = new FakeLink();
    t.ok(attach(heldByB, link, 'phone', { positions: [{ stream: 'a1', seq: 1 }] }).recovered);
    t.same(texts(link), ['2']);
  });

  await t.test('has lost nothing over several merges', async (t) => {
    const { a, b, heldByA, heldByB } = two();
    const c = new OneNode({ streams: 'c' });
    const heldByC = c.hold();
    attach(heldByA, new FakeLink(), 'phone');
    a.send(heldByA, '1', '2');
    move(a, heldByA, b);
    move(b, heldByB, c);
    t.same(
      heldByC.absorbed?.map(({ stream }) => stream),
      ['a1', 'b1'],
    );
    const link = new FakeLink();
    t.ok(attach(heldByC, link, 'phone', { positions: [{ stream: 'a1', seq: 1 }] }).recovered);
    t.same(texts(link), ['2']);
  });

  await t.test('may have lost something when the copy is of a holder that cannot be asked', async (t) => {
    const { a, b, heldByA, heldByB } = two();
    attach(heldByA, new FakeLink(), 'phone');
    a.send(heldByA, '1', '2', '3');
    move(a, heldByA, b, false);
    const link = new FakeLink();
    t.notOk(attach(heldByB, link, 'phone', { positions: [{ stream: 'a1', seq: 1 }] }).recovered);
    t.same(texts(link), ['2', '3'], 'what there is of it is sent all the same, and nothing else');
  });

  await t.test('has lost something that one of them let go of before', async (t) => {
    const { a, b, heldByA, heldByB } = two();
    const { session } = attach(heldByA, new FakeLink(), 'phone');
    const laptop = attach(heldByB, new FakeLink(), 'laptop').session;
    a.send(heldByA, '1', '2');
    heldByA.acknowledged(session, 2);
    const link = new FakeLink();
    laptop.link = link;
    move(a, heldByA, b);
    t.same(
      link.take().map(([frame]) => frame),
      ['gap'],
      'the laptop has never had them',
    );
    heldByB.detach(laptop);
  });
});
