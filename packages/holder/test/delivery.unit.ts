import { Receipts } from '@pinwheel/protocol';
import t from 'tap';
import { deliverTo } from '../src/users/delivery.js';
import { FakeLink } from './kit/fake-link.js';
import { attach, attachRequest, DirectSession, here, messageTo, OneNode } from './kit/one-node.js';

const statuses = (receipts: readonly { status: string; sessions?: number }[]): readonly unknown[] =>
  receipts.map(({ status, sessions }) => (sessions === undefined ? status : `${status} ${sessions}`));

t.test('a message to sessions that are attached is delivered to each of them', async (t) => {
  const node = new OneNode();
  const held = node.hold();
  const [one, other] = [new FakeLink('e1'), new FakeLink('e2')];
  attach(held, one, 'a');
  attach(held, other, 'b');
  t.same(statuses(node.send(held, 'x', 'y')), ['delivered 2', 'delivered 2']);
  t.same(one.takeSeqs(), [1, 2]);
  t.same(other.takeSeqs(), [1, 2]);
});

t.test('a client of pinwheel.v1 is told the id, a plain one is not', async (t) => {
  const node = new OneNode();
  const held = node.hold();
  const link = new FakeLink();
  const { session: v1 } = attach(held, link, 'a');
  const { session: plain } = attach(held, link, 'b', { acknowledges: false });
  node.deliver([messageTo('alice', 'x', { id: 'id-x', binary: true })]);
  t.same(link.take(), [
    ['message', v1.number, 1, 'id-x', true, 'x'],
    ['message', plain.number, 1, '', true, 'x'],
  ]);
});

t.test(
  'one of several sessions is away: it counts for those that are there, and is kept for the other',
  async (t) => {
    const node = new OneNode();
    const held = node.hold();
    const link = new FakeLink();
    attach(held, link, 'a');
    const { session } = attach(held, link, 'b');
    held.detach(session);
    t.same(statuses(node.send(held, 'x')), ['delivered 1']);
    t.same(link.takeSeqs(), [1]);
    attach(held, link, 'b', { positions: here(held, 0) });
    t.same(link.takeSeqs(), [1]);
  },
);

t.test(
  'nobody can be written to now: the message is queued, and follows as soon as somebody can',
  async (t) => {
    const cases = {
      'the client does not read': (held: ReturnType<OneNode['hold']>, link: FakeLink) => {
        const { session } = attach(held, link, 'a');
        session.paused = true;
        return () => {
          session.paused = false;
          held.catchUp(session);
        };
      },
      'the link is full or in doubt': (held: ReturnType<OneNode['hold']>, link: FakeLink) => {
        const { session } = attach(held, link, 'a');
        link.isOpen = false;
        return () => {
          link.isOpen = true;
          held.catchUp(session);
        };
      },
      'the client is away': (held: ReturnType<OneNode['hold']>, link: FakeLink) => {
        held.detach(attach(held, link, 'a').session);
        return () => attach(held, link, 'a', { positions: here(held, 0) });
      },
    };
    for (const [name, prevent] of Object.entries(cases)) {
      await t.test(name, async (t) => {
        const node = new OneNode();
        const held = node.hold();
        const link = new FakeLink();
        const allow = prevent(held, link);
        t.same(statuses(node.send(held, 'x', 'y')), ['queued', 'queued']);
        t.same(link.takeSeqs(), []);
        allow();
        t.same(link.takeSeqs(), [1, 2]);
        t.same(statuses(node.send(held, 'z')), ['delivered 1']);
        t.same(link.takeSeqs(), [3]);
      });
    }
  },
);

t.test(
  'a link that is full in the middle of a batch: what follows is queued, and nothing overtakes',
  async (t) => {
    const node = new OneNode();
    const held = node.hold();
    const link = new FakeLink();
    const { session } = attach(held, link, 'a');
    link.room = 2;
    t.same(statuses(node.send(held, 'x', 'y', 'z')), ['delivered 1', 'delivered 1', 'queued']);
    t.same(statuses(node.send(held, 'w')), ['queued']);
    t.same(link.takeSeqs(), [1, 2]);
    link.isOpen = true;
    link.room = Number.POSITIVE_INFINITY;
    t.same(statuses(node.send(held, 'v')), ['queued'], 'not before it is caught up');
    held.catchUp(session);
    t.same(link.takeSeqs(), [3, 4, 5]);
  },
);

t.test('a user with sessions on the node itself alone', async (t) => {
  await t.test('is written to, and nothing is kept', async (t) => {
    const node = new OneNode();
    const held = node.hold();
    const session = new DirectSession(held, 'd1');
    t.same(statuses(node.send(held, 'x', 'y')), ['delivered 1', 'delivered 1']);
    t.same(session.texts, ['x', 'y']);
    t.equal(held.inbox, undefined);
    t.equal(held.stream, '');
  });

  await t.test('whose socket is full: overloaded', async (t) => {
    const node = new OneNode();
    const held = node.hold();
    const session = new DirectSession(held, 'd1');
    session.isLive = false;
    t.same(node.send(held, 'x'), [
      {
        user: 'alice',
        status: 'overloaded',
        error: { code: 'overloaded', message: 'every session of the user is at its bound of unread bytes' },
      },
    ]);
  });

  await t.test('who had others before: the numbers go on, and nothing is kept', async (t) => {
    const node = new OneNode();
    const held = node.hold();
    const direct = new DirectSession(held, 'd1');
    const { session } = attach(held, new FakeLink(), 'a');
    node.send(held, 'x');
    held.ended(session, 1000, 'left');
    t.same(statuses(node.send(held, 'y')), ['delivered 1']);
    t.same(direct.texts, ['x', 'y']);
    t.equal(held.inbox?.next, 3);
    t.equal(held.inbox?.keptMessages, 0);
    t.equal(attach(held, new FakeLink(), 'a', { positions: here(held, 1) }).recovered, false);
  });
});

t.test(
  'a session on the node itself and one that comes by a link, away: delivered, and kept for it',
  async (t) => {
    const node = new OneNode();
    const held = node.hold();
    const link = new FakeLink();
    const direct = new DirectSession(held, 'd1');
    held.detach(attach(held, link, 'a').session);
    t.same(statuses(node.send(held, 'x')), ['delivered 1']);
    t.same(direct.texts, ['x']);
    t.equal(held.inbox?.keptMessages, 1);
  },
);

t.test('neither the socket on the node itself nor a plain client behind a lost link takes it', async (t) => {
  const node = new OneNode();
  const held = node.hold();
  const direct = new DirectSession(held, 'd1');
  held.detach(attach(held, new FakeLink(), 'a', { acknowledges: false }).session);
  direct.isLive = false;
  const [full] = node.send(held, 'x');
  t.match(full, { status: 'overloaded', error: { code: 'overloaded', message: /bound of unread bytes/ } });
  direct.close({ code: 1000 }, 'left');
  const [lost] = node.send(held, 'y');
  t.match(lost, {
    status: 'overloaded',
    error: { code: 'unavailable', message: /link of its edge is lost/ },
  });
});

t.test('a socket on the node itself that turns out to be full, and nobody who could come back', async (t) => {
  const node = new OneNode();
  const held = node.hold();
  const direct = new DirectSession(held, 'd1');
  held.detach(attach(held, new FakeLink(), 'a', { acknowledges: false }).session);
  direct.isFull = true;
  const message = messageTo('alice', 'x', { repeated: true });
  t.match(node.deliver([message]).receipts, [{ status: 'overloaded', error: { code: 'unknown-outcome' } }]);
  const again = node.deliver([message]).receipts;
  t.match(again, [{ status: 'overloaded', error: { code: 'overloaded' } }], 'it may be tried again');
  held.attach(attachRequest('b', { user: 'alice' }), new FakeLink());
  t.match(node.send(held, 'y'), [{ status: 'delivered' }]);
});

t.test(
  'a user without a session, of whom others have yet to be asked: overloaded, never offline',
  async (t) => {
    const node = new OneNode();
    const held = node.hold();
    held.contested = new Set(['n2']);
    t.match(node.send(held, 'x'), [{ status: 'overloaded', error: { code: 'unavailable' } }]);
  },
);

t.test('whoever waits for the client is told where its message stands', async (t) => {
  const node = new OneNode();
  const held = node.hold();
  attach(held, new FakeLink(), 'a');
  node.send(held, 'x');
  const { receipts } = node.deliver([messageTo('alice', 'y', { waitForClient: true })]);
  t.same(receipts, [{ user: 'alice', status: 'delivered', sessions: 1, stream: held.stream, seq: 2 }]);
});

t.test('a batch for many', async (t) => {
  const node = new OneNode();
  const [alice, bob, carol] = [node.hold('alice'), node.hold('bob'), node.hold('carol')];
  const links = new Map([alice, bob, carol].map((held) => [held, new FakeLink()]));
  for (const [held, link] of links) attach(held, link, 'a');

  await t.test('keeps the order of each user', async (t) => {
    const names = ['alice', 'bob', 'alice', 'carol', 'bob', 'alice'];
    const { receipts, missing } = node.deliver(names.map((user, i) => messageTo(user, `${i}`)));
    t.same(statuses(receipts), Array(6).fill('delivered 1'));
    t.equal(missing.size, 0);
    const texts = (held: typeof alice) =>
      links
        .get(held)!
        .take()
        .map(([, , , , , text]) => text);
    t.same(texts(alice), ['0', '2', '5']);
    t.same(texts(bob), ['1', '4']);
    t.same(texts(carol), ['3']);
  });

  await t.test(
    'names who is not here and who is on the way, and leaves their receipts to others',
    async (t) => {
      bob.freeze();
      const names = ['dave', 'bob', 'alice', 'bob', 'dave'];
      const { missing, receipts } = node.deliver(names.map((user, i) => messageTo(user, `${i}`)));
      t.same(
        [...missing],
        [
          ['dave', [0, 4]],
          ['bob', [1, 3]],
        ],
      );
      t.same(receipts[2], { user: 'alice', status: 'delivered', sessions: 1 });
      t.same(links.get(bob)!.takeSeqs(), []);
      t.equal(bob.inbox?.next, 3);
    },
  );

  await t.test('in which a session closes when it is written to', async (t) => {
    const direct = new DirectSession(alice, 'd1');
    direct.write = () => direct.close({ code: 4002 }, 'does not read');
    const { receipts } = node.deliver([messageTo('alice', 'x'), messageTo('alice', 'y')]);
    t.same(statuses(receipts), ['delivered 1', 'delivered 1']);
    t.same(alice.picked, []);
    t.same(
      alice.sessions.map(({ id }) => id),
      ['a'],
    );
  });
});

t.test('of a batch only the places that are picked are delivered', async (t) => {
  const node = new OneNode();
  const held = node.hold();
  const link = new FakeLink();
  attach(held, link, 'a');
  const batch = ['0', '1', '2', '3'].map((text) => messageTo('alice', text));
  const receipts = new Receipts(batch.length);
  deliverTo(held, batch, [1, 3], new Uint16Array(batch.length), receipts, node.second);
  t.same(
    link.take().map(([, , seq, , , text]) => [seq, text]),
    [
      [1, '1'],
      [2, '3'],
    ],
  );
  t.equal(receipts.status(3), 'delivered');
});
