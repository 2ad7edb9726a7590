import t from 'tap';
import type { UserState } from '../src/users/user-state.js';
import { Cluster, type ClusterNode } from './kit/cluster.js';
import { TestClient } from './kit/test-edge.js';
import { keptState, sessionState, userState } from './kit/user-state.js';

const two = ['a', 'b'];

const state = (): UserState =>
  userState({ next: 3, kept: [keptState(2, 'old 2')], sessions: [sessionState('phone', { acked: 1 })] });

interface Source {
  readonly from?: string;
  readonly incarnation?: string;
  readonly state?: UserState;
}

/** `b` is asked to keep copies of users of its own, mostly from `a`. */
function start(limits = {}) {
  const cluster = new Cluster(two, limits);
  const [a, b] = [cluster.node('a'), cluster.node('b')];
  const user = cluster.userOf([two, 'b']);
  const prepare = (
    number: number,
    { from = 'a', incarnation = a.incarnation, state: copy = state() }: Source = {},
  ) => {
    const handoff = `${incarnation}-${number}`;
    const [answer] = b.holder.prepare({ from, incarnation, users: [{ user, handoff, state: copy }] }).answers;
    return answer!.kind === 'kept' ? 'kept' : answer!.why;
  };
  const commit = (number: number, incarnation = a.incarnation) =>
    b.holder.commit({ from: 'a', users: [{ user, handoff: `${incarnation}-${number}` }] }).answers[0]?.kind;
  return { cluster, a, b, user, prepare, commit };
}

const hold = ({ holder }: ClusterNode, user: string) =>
  holder.users.hold(user, holder.ownership.state.ring.hashOf(user));

t.test('a copy is kept, serves nobody, and becomes the user when that is said', async (t) => {
  const { b, user, prepare, commit } = start();
  t.equal(prepare(1), 'kept');
  t.equal(b.known(user), 'prepared');
  t.same(b.send(user, 'x'), []);
  t.equal(b.holder.foreignUsers, 1);
  t.equal(commit(1), 'done');
  t.same(b.messages(user), ['old 2']);
  t.equal(b.held(user).stream, 'old');
  t.equal(commit(1), 'done', 'said again');
  t.same(b.send(user, 'x'), ['queued']);
  t.equal(b.holder.foreignUsers, 0);
});

t.test(
  'a copy takes the memory that its messages will need, and is refused where there is none',
  async (t) => {
    const { b, user, prepare, commit } = start({ maxInboxTotalBytes: 2000 });
    const { budget } = b.holder;
    t.equal(prepare(1), 'kept');
    t.equal(budget.bytes, 1024);
    t.equal(prepare(2), 'kept', 'in the place of the other one');
    t.equal(budget.bytes, 1024);
    t.equal(commit(2), 'done');
    t.equal(budget.bytes, 1024, 'the inbox has it now');
    t.same(b.messages(user), ['old 2']);

    const other = start({ maxInboxTotalBytes: 2000 });
    t.ok(other.b.holder.budget.take(1000), 'others have it');
    t.equal(other.prepare(1), 'the memory for inboxes is used up');
    t.equal(other.b.known(other.user), undefined);
    t.equal(other.prepare(1, { state: userState({ next: 3 }) }), 'kept', 'it has nothing that could be lost');
    t.equal(other.b.holder.budget.bytes, 1000);
  },
);

t.test('a copy that is not needed gives its memory back', async (t) => {
  const { a, b, user, prepare } = start();
  t.equal(prepare(1), 'kept');
  t.equal(b.holder.budget.bytes, 1024);
  b.holder.copies.drop(user, `${a.incarnation}-1`);
  t.equal(b.holder.budget.bytes, 0);
});

t.test('of two copies of one holder the one of the later handoff counts, however they arrive', async (t) => {
  const { b, user, prepare, commit } = start();
  t.equal(prepare(9), 'kept');
  t.equal(prepare(10), 'kept');
  t.equal(prepare(9), 'there is a newer copy');
  t.equal(commit(9), 'unknown', 'the holder had gone on with it');
  t.equal(b.known(user), 'prepared');
  t.equal(commit(10), 'done');
});

t.test('a copy is refused', async (t) => {
  await t.test('by a node that takes no users', async (t) => {
    const { b, prepare } = start();
    b.isOpen = false;
    t.equal(prepare(1), 'this node takes no users');
  });

  await t.test(
    'when the user belongs elsewhere by the node’s own ring, which is looked at then',
    async (t) => {
      const { b, cluster, prepare } = start();
      cluster.ring(['a'], { members: { b: {} } });
      t.equal(b.refreshes, 0);
      t.equal(prepare(1), 'the user is not mine by my ring');
      t.equal(b.refreshes, 1);
    },
  );

  await t.test('when there is one of somebody else', async (t) => {
    const { b, prepare } = start();
    prepare(1);
    t.equal(prepare(1, { from: 'c', incarnation: 'c-1' }), 'there is a copy from a');
    t.match(b.holder.copies.counters, { kept: 1, refused: 1 });
  });

  await t.test(
    'when there are as many as the node keeps, but not for a newer one of the same user',
    async (t) => {
      const { cluster, a, b, prepare } = start({ maxCopies: 1 });
      prepare(1);
      t.equal(prepare(2), 'kept');
      const [, other] = cluster.usersOf(2, [two, 'b']);
      const { answers } = b.holder.prepare({
        from: 'a',
        incarnation: a.incarnation,
        users: [{ user: other!, handoff: 'h-1', state: state() }],
      });
      t.same(answers, [{ kind: 'refused', why: 'there are 1 copies, the most that are kept' }]);
    },
  );

  await t.test('when it is of a process that is not the one under that id', async (t) => {
    const { prepare } = start();
    t.equal(prepare(1, { incarnation: 'a-0' }), 'member a is another process as far as this node knows');
  });

  await t.test('when the user is on its way from here', async (t) => {
    const { cluster, b, user, prepare } = start();
    const client = new TestClient((id) => cluster.node(id), user, 'tablet');
    client.attach('b');
    await cluster.until('the client is attached', () => client.at === 'b');
    cluster.network.fateOf = () => 'hold-request';
    cluster.ring(['a'], { members: { b: {} } });
    await cluster.until('a handoff is under way', () => b.holder.handoffs.isUnderWay(user));
    cluster.ring(two);
    t.equal(prepare(1), 'the user is on its way from here');
  });

  await t.test('when what this node has handed over is not acknowledged', async (t) => {
    const { cluster, a, b, user, prepare } = start();
    const client = new TestClient((id) => cluster.node(id), user, 'tablet');
    client.attach('b');
    await cluster.until('the client is attached', () => client.at === 'b');
    client.cut();
    cluster.network.fateOf = ({ kind }) => (kind === 'commit' ? 'lose-request' : 'pass');
    cluster.ring(['a'], { members: { b: {} } });
    await cluster.until('b has released the user', () => b.known(user) === 'released');
    cluster.ring(two);
    t.equal(prepare(1, { from: 'c', incarnation: 'c-1' }), 'the user is on its way to a');
    t.equal(prepare(1), 'kept', 'the process that keeps the copy may bring it back');
    t.equal(a.known(user), 'prepared');
  });
});

t.test('a copy of a user whom the node holds', async (t) => {
  const { cluster, b, user, prepare, commit } = start();
  const held = hold(b, user);
  const client = new TestClient((id) => cluster.node(id), user, 'tablet');
  client.attach('b');
  await cluster.until('the client is attached', () => client.at === 'b');

  await t.test('waits beside it', async (t) => {
    t.equal(prepare(1), 'kept');
    t.equal(held.incoming?.handoff, `${cluster.node('a').incarnation}-1`);
    t.same(b.send(user, 'mine'), ['delivered']);
  });

  await t.test('and is merged when that is said', async (t) => {
    held.contested = new Set(['a', 'c']);
    t.equal(commit(1), 'done');
    t.equal(held.incoming, undefined);
    t.same([...held.contested], ['c'], 'what a has to say it has said');
    await cluster.settle();
    t.same(client.texts, ['mine', 'old 2']);
    t.same(
      held.sessions.map(({ id }) => id),
      ['tablet', 'phone'],
    );
    t.match(b.holder.copies.counters, { merged: 1, committed: 0 });
  });

  await t.test('and the holder was the last who could have it', async (t) => {
    prepare(2);
    held.contested = new Set(['a']);
    t.equal(commit(2), 'done');
    t.equal(held.contested, undefined);
  });

  await t.test('and goes when it is not needed', async (t) => {
    prepare(3);
    b.holder.copies.drop(user, 'another');
    t.ok(held.incoming);
    b.holder.copies.drop(user, `${cluster.node('a').incarnation}-3`);
    t.equal(held.incoming, undefined);
    t.equal(b.known(user), 'held');
  });

  await t.test('keeps the user from being forgotten, as long as it is there', async (t) => {
    prepare(4);
    for (const session of [...held.sessions]) session.close({ code: 4500, name: 'disconnected' }, '');
    t.equal(b.known(user), 'held');
    b.holder.copies.drop(user, `${cluster.node('a').incarnation}-4`);
    t.equal(b.known(user), undefined);
  });

  await t.test('and keeps it from going elsewhere', async (t) => {
    const again = start();
    const { cluster: other, b: holder, user: name } = again;
    const phone = new TestClient((id) => other.node(id), name, 'tablet');
    phone.attach('b');
    await other.until('the client is attached', () => phone.at === 'b');
    again.prepare(1);
    other.network.fateOf = ({ kind }) => (kind === 'claim' ? 'lose-request' : 'pass');
    other.ring(['a'], { members: { b: {} } });
    await other.pass(3000);
    t.same(other.network.made('prepare'), []);
    t.equal(holder.known(name), 'held');
    t.ok(holder.holder.foreignUsers > 0);
  });
});

t.test('a copy that nobody speaks of any more', async (t) => {
  await t.test('of a user that the source has gone on serving: it is dropped after asking', async (t) => {
    const { cluster, a, b, user, prepare } = start();
    cluster.ring(['a'], { at: ['a'], members: { b: {} } });
    hold(a, user).contested = new Set(['c']);
    prepare(1);
    await cluster.pass(4000);
    t.equal(b.known(user), 'prepared');
    await cluster.until('it is gone', () => b.known(user) === undefined);
    t.match(b.holder.copies.counters, { dropped: 1, orphaned: 0 });
  });

  await t.test('that came late, after the user had been handed over by a newer one', async (t) => {
    const { cluster, a, b, user, prepare, commit } = start();
    prepare(2);
    commit(2);
    t.equal(prepare(1), 'kept');
    t.ok(b.held(user).incoming);
    await cluster.until('it is gone', () => b.held(user).incoming === undefined);
    t.equal(b.held(user).inbox?.keptMessages, 1, 'nothing was taken out of it');
    t.equal(a.known(user), 'released');
    t.match(b.holder.copies.counters, { dropped: 1, merged: 0 });
  });

  await t.test(
    'and whose source cannot be asked: the user is served from it, and the source asked again',
    async (t) => {
      const { cluster, b, user, prepare } = start();
      prepare(1);
      cluster.network.fateOf = () => 'lose-request';
      await cluster.until('the user is served', () => b.known(user) === 'held');
      t.not(b.held(user).stream, 'old');
      t.same([...(b.held(user).contested ?? [])], ['a']);
      t.same(b.messages(user), ['old 2']);
      cluster.network.fateOf = () => 'pass';
      await cluster.until('a has denied it', () => b.held(user).contested === undefined);
      t.match(b.holder.copies.counters, { orphaned: 1 });
    },
  );

  await t.test('beside the user itself, and whose source cannot be asked: it waits', async (t) => {
    const { cluster, b, user, prepare } = start();
    hold(b, user);
    prepare(1);
    cluster.network.fateOf = () => 'lose-request';
    await cluster.pass(20_000);
    t.ok(b.held(user).incoming);
    t.same(b.messages(user), []);
  });
});

t.test('the source of a copy is gone', async (t) => {
  await t.test('it has left: the copy becomes the user, in a new stream', async (t) => {
    const { cluster, b, user, prepare } = start();
    prepare(1);
    cluster.kill('a');
    cluster.ring(['b']);
    t.same(b.messages(user), ['old 2']);
    t.not(b.held(user).stream, 'old');
    const client = new TestClient((id) => cluster.node(id), user, 'phone');
    client.position = { stream: 'old', seq: 1 };
    client.attach('b');
    await cluster.settle();
    t.same([client.recovered, client.texts], [[false], ['old 2']]);
    t.equal(b.holder.copies.promote(user), b.held(user), 'once');
  });

  await t.test('another process has its place: likewise', async (t) => {
    const { cluster, b, user, prepare } = start();
    prepare(1);
    cluster.start('a', two);
    cluster.ring(two);
    t.equal(b.known(user), 'held');
  });

  await t.test('and the user is held here: what was kept is merged', async (t) => {
    const { cluster, b, user, prepare } = start();
    const held = hold(b, user);
    prepare(1);
    cluster.kill('a');
    cluster.ring(['b']);
    t.equal(b.held(user), held);
    t.equal(held.incoming, undefined);
    t.same(b.messages(user), ['old 2']);
  });

  await t.test('another process is asked before this node knows that it is another one', async (t) => {
    const { cluster, b, user, prepare } = start();
    prepare(1);
    cluster.start('a', two);
    await cluster.until('the user is served', () => b.known(user) === 'held');
    t.match(b.holder.copies.counters, { orphaned: 1, dropped: 0 });
    t.same(b.messages(user), ['old 2']);
  });
});
