import { defaultHolderLimits } from '@pinwheel/holder';
import { schedule, three } from './by-hand.js';
import { Stage } from './stage.js';

const lost = { request: 1, answer: 'lost' } as const;

schedule(
  'the holder thaws after the target has kept the copy, because the answer was lost: one holder, nothing twice',
  async (stage, check) => {
    const user = Stage.user({ 'n1 n2 n3': 'n1', 'n2 n3': 'n2' });
    await stage.start('c1', user);
    stage.next('prepare', 'n1', 'n2', lost);
    await stage.ring('n2 n3 n1-');
    await stage.pass(50);
    check(stage.holders(user).join() === 'n1', 'only n1 holds the user while the copy is idle');
    check((await stage.send(user)) === 'delivered', 'it is served meanwhile');
    await stage.ring('n1 n2 n3');
  },
  { bites: 'a handoff has two phases' },
);

schedule(
  'a claim comes to B while the user is in flight from A to B and the ring already says C',
  async (stage, check) => {
    const user = Stage.user({ 'n1 n2 n3': 'n1', 'n2 n3': 'n2', n3: 'n3' });
    await stage.start('c1', user);
    stage.next('commit', 'n1', 'n2', { request: 2000, answer: 1 });
    await stage.ring('n2 n3 n1-', 'n1', 'n2', 'e1', 's1');
    await stage.pass(30);
    await stage.ring('n3 n1- n2-');
    stage.happenings.happen({ at: 0, kind: 'cut client', client: 'c1', clientToldMs: 1, edgeToldMs: 1 });
    await stage.pass(3000);
    check(stage.holders(user).join() === 'n3', 'C has the user');
    check(!stage.hasGap('c1'), 'nothing was lost');
    await stage.ring('n1 n2 n3');
  },
);

schedule(
  'an attach comes to a node that is not the owner: the edge is told where to, and nobody waits',
  async (stage, check) => {
    const user = Stage.user({ 'n1 n2 n3': 'n3', 'n1 n2': 'n2' });
    // the edge alone goes by another ring, in which it finds the members for all that
    await stage.ring('n1 n2 n3-', 'e1');
    await stage.start('c1', user);
    check(stage.holders(user).join() === 'n3', 'the owner by the ring of the nodes has the user');
    check(stage.client('c1').core.status.state === 'connected', 'the client is attached');
  },
  { bites: 'an attach is never passed on' },
);

schedule(
  'a message comes for a session that is installed and not yet attached: it is queued, and comes once',
  async (stage, check) => {
    const user = Stage.user({ 'n1 n2 n3': 'n1', 'n2 n3': 'n2' });
    await stage.start('c1', user);
    // REPIN stays in the link until long after the copy is the target's
    const [link] = [...stage.sim.network.wires].filter((wire) => wire.isBetween('e1', 'n1'));
    link!.freeze([link!.b]);
    await stage.ring('n2 n3 n1-');
    await stage.pass(500);
    check((await stage.send(user)) === 'queued', 'the receipt says queued');
    link!.thaw();
    await stage.pass(100);
    check(stage.had('c1').length === 1, 'the message has come');
    await stage.ring('n1 n2 n3');
  },
);

schedule(
  'a claim, or a question, times out: nobody is called offline because of that',
  async (stage, check) => {
    const user = Stage.user({ 'n1 n2 n3': 'n1', 'n2 n3': 'n2' });
    await stage.start('c1', user);
    // n1 holds the user and can be reached by its edge alone
    stage.sim.network.part('n1', 'n2');
    stage.sim.network.part('n1', 'n3');
    await stage.ring('n2 n3 n1-', 'n2', 'n3');
    // else it would ask n1 itself, which it can reach
    await stage.ring('n2 n3', 's1');
    check((await stage.send(user)) === 'overloaded', 'the receipt says that nothing is known');
    stage.sim.network.healAll();
    await stage.ring('n1 n2 n3');
  },
  { setup: { ...three, callMs: 500 }, bites: 'a question that fails says nothing of a user' },
);

schedule(
  'the ring is A, then B, then A: tombstones do not point at each other for ever',
  async (stage, check) => {
    const user = Stage.user({ 'n1 n2 n3': 'n1', 'n2 n3': 'n2' });
    await stage.start('c1', user);
    for (let i = 0; i < 3; i++) {
      await stage.ring('n2 n3 n1-');
      await stage.pass(i === 1 ? 15 : 500);
      await stage.ring('n1 n2 n3');
      await stage.pass(i === 2 ? 15 : 500);
    }
    check((await stage.send(user)) === 'delivered', 'a message finds the user');
    check(stage.holders(user).join() === 'n1', 'the owner has the user');
  },
);

schedule(
  'a handoff arrives at a node that has already skipped past that ring: the user is not left behind',
  async (stage, check) => {
    const user = Stage.user({ 'n1 n2 n3': 'n1', 'n2 n3': 'n2', n3: 'n3' });
    await stage.start('c1', user);
    // n2 goes on to a ring that gives the user to n3, before the copy comes
    await stage.ring('n3 n1- n2-', 'n2', 'n3');
    await stage.ring('n2 n3 n1-', 'n1', 'e1', 's1');
    await stage.pass(100);
    check(stage.holders(user).join() === 'n1', 'n2 has refused the copy, and n1 serves the user');
    await stage.ring('n2 n3 n1-', 'n2', 'n3');
    await stage.pass(8000);
    check(
      stage.holders(user).join() === 'n2',
      'it goes when n2 is back, though the ring of n1 has not changed',
    );
    await stage.ring('n1 n2 n3');
  },
  { bites: 'the list of who has to move is continuous' },
);

schedule(
  'a member was done moving by a fingerprint that comes back: it is asked anew',
  async (stage, check) => {
    const user = Stage.user({ 'n1 n2 n3': 'n1', 'n2 n3': 'n2' });
    // n1 hears from everybody that they have nobody else's users
    check((await stage.send(user)) === 'offline', 'nobody has the user');
    // the sender does not hear of it, and goes on asking n1
    await stage.ring('n2 n3 n1-', 'n1', 'n2', 'n3', 'e1');
    await stage.start('c1', user);
    check(stage.holders(user).join() === 'n2', 'the user has come to n2');
    // n1 has forgotten who has claimed the user
    await stage.pass(2000);
    stage.node('n2').holder.moves.change({ paused: true });
    await stage.ring('n1 n2 n3');
    check((await stage.send(user)) === 'delivered', 'a message by way of n1 finds the user at n2');
  },
  {
    setup: { ...three, limits: { ...defaultHolderLimits, tombstoneMs: 50 } },
    bites: 'that a member holds nobody else’s users is asked anew for each ring',
  },
);

schedule(
  'two messages of one sender at a change of the ring: the later one does not overtake',
  async (stage, check) => {
    const user = Stage.user({ 'n1 n2 n3': 'n1', 'n2 n3': 'n2' });
    await stage.start('c1', user);
    const sender = stage.sim.senders.get('s1')!;
    stage.next('messages', 's1', 'n1', { request: 400, answer: 1 });
    void sender.send(user);
    await stage.pass(10);
    await stage.ring('n2 n3 n1-', 'n1', 'n2', 'n3', 'e1');
    // as if n1 had left: what is sent now goes to n2
    await stage.ring('n2 n3', 's1');
    await stage.pass(100);
    void sender.send(user);
    await stage.pass(3000);
    check(stage.had('c1').join() === `s1>${user}^1,s1>${user}^2`, 'they come in their order');
    await stage.ring('n1 n2 n3');
  },
  { bites: 'a sender has a lane for each user' },
);

schedule(
  'two holders with sessions at different positions become one: each session has what it had not',
  async (stage, check) => {
    const user = Stage.user({ 'n1 n2 n3': 'n1', 'n2 n3': 'n2' });
    await stage.start('c1', user);
    await stage.start('c2', user);
    await stage.send(user);
    // c2 sleeps: what comes now is kept for it
    stage.client('c2').process.pause();
    await stage.send(user);
    // n1 is taken for dead; c1 comes to n2 and gets a new stream
    stage.node('n1').process.pause();
    await stage.ring('n2 n3', 'n2', 'n3', 'e1', 's1');
    await stage.pass(14_000);
    await stage.send(user);
    stage.node('n1').process.wake();
    stage.client('c2').process.wake();
    await stage.ring('n2 n3', 'n1');
    await stage.pass(8000);
    const all = [1, 2, 3].map((number) => `s1>${user}^${number}`);
    for (const name of ['c1', 'c2'])
      check(
        all.every((text) => stage.had(name).includes(text)),
        `${name} has all of ${all}`,
      );
    check(stage.holders(user).join() === 'n2', 'one holder is left');
    await stage.ring('n1 n2 n3');
  },
);

schedule(
  'a message waits in the sockets of a node that stands still while another node delivers it: it comes once',
  async (stage, check) => {
    const user = Stage.user({ 'n1 n2 n3': 'n1', 'n2 n3': 'n2' });
    await stage.start('c1', user, 'plain');
    stage.node('n1').process.pause();
    stage.next('messages', 's1', 'n1', { request: 1, answer: 1, brokenMs: 3500 });
    const sending = stage.sim.senders.get('s1')!.send(user);
    await stage.pass(2000);
    await stage.ring('n2 n3', 'n2', 'n3', 'e1', 's1');
    await stage.pass(28_000);
    check((await sending).receipt?.status === 'delivered', 'another node delivers it');
    check(stage.had('c1').length === 1, 'c1 has it');
    stage.node('n1').process.wake();
    await stage.pass(100);
    // what it knew of the message would be merged, and that one had it
    stage.node('n2').crash(false);
    await stage.ring('n1 n3');
    await stage.pass(8000);
    check(stage.holders(user).join() === 'n1', 'the node that stood still has the user again');
    check(stage.had('c1').length === 1, 'and does not deliver it again');
  },
  { bites: 'what waited in the sockets of a node that stood still is not taken' },
);

schedule(
  'the target dies between its answer and the commit: the holder takes the user back, in a new stream',
  async (stage, check) => {
    const user = Stage.user({ 'n1 n2 n3': 'n1', 'n2 n3': 'n2', n3: 'n3' });
    await stage.start('c1', user);
    await stage.send(user);
    stage.next('commit', 'n1', 'n2', { request: 'lost', answer: 1 });
    await stage.ring('n2 n3 n1-');
    await stage.pass(14);
    stage.node('n2').crash(false);
    await stage.pass(500);
    await stage.ring('n3 n1-');
    await stage.pass(8000);
    check(stage.holders(user).join() === 'n3', 'the user has come to the next owner');
    check((await stage.send(user)) === 'delivered', 'and is served');
    await stage.ring('n1 n3');
  },
);

schedule(
  'a node dies: nobody calls its user offline, whose socket is open, before the edge has heard of it',
  async (stage, check) => {
    const user = Stage.user({ 'n1 n2 n3': 'n1', 'n2 n3': 'n2' });
    await stage.start('c1', user);
    stage.node('n1').crash(false);
    await stage.ring('n2 n3', 'n2', 'n3', 's1');
    const sending = stage.sim.senders.get('s1')!.send(user);
    await stage.pass(500);
    await stage.ring('n2 n3');
    await stage.pass(6000);
    const { receipt } = await sending;
    check(receipt?.status === 'delivered', `it is ${receipt?.status}`);
    stage.happenings.happen({ at: 0, kind: 'client closes', client: 'c1' });
    await stage.pass(10);
    check((await stage.send(user)) === 'offline', 'once it has gone it is');
  },
);

schedule('a client closes while its link is down: no ghost of its session is left', async (stage, check) => {
  const user = Stage.user({ 'n1 n2 n3': 'n1' });
  await stage.start('c1', user);
  stage.happenings.happen({ at: 0, kind: 'cut link', edge: 'e1', node: 'n1', edgeToldMs: 1, nodeToldMs: 1 });
  await stage.pass(5);
  stage.happenings.happen({ at: 0, kind: 'client closes', client: 'c1' });
  await stage.pass(70_000);
  check(stage.holders(user).length === 0, 'nobody holds the user any more');
  check((await stage.send(user)) === 'offline', 'and it is offline');
});

const nine = ['n1', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7', 'n8', 'n9'];
const wide = { nodes: nine, mostRings: 1, windowMs: 50 };

schedule(
  'a user has gone on to a node that its owner would not ask: the claim follows the tombstone',
  async (stage, check) => {
    const user = 'alice';
    const [, , , , fifth, sixth, ...rest] = Stage.order(nine, user);
    const from = `${fifth} ${sixth} ${rest.join(' ')}`;
    // its owner by the whole ring knows nothing of all this
    await stage.ring(from, fifth!, sixth!, ...rest, 'e1');
    await stage.start('c1', user);
    await stage.ring(`${sixth} ${rest.join(' ')} ${fifth}-`, fifth!, sixth!, ...rest, 'e1');
    await stage.pass(500);
    check(stage.holders(user).join() === sixth, 'the sixth in line has the user');
    stage.node(sixth!).holder.moves.change({ paused: true });
    await stage.ring(nine.join(' '));
    stage.happenings.happen({ at: 0, kind: 'cut client', client: 'c1', clientToldMs: 1, edgeToldMs: 1 });
    await stage.pass(3000);
    check(!stage.hasGap('c1'), 'nothing was lost');
  },
  { setup: wide, bites: 'a claim follows a tombstone' },
);

schedule(
  'somebody has asked for a user who has since come back by the ring: the owner asks there',
  async (stage, check) => {
    const user = 'alice';
    const [first, second, third, fourth, fifth, sixth, ...rest] = Stage.order(nine, user);
    // the first in line sees one ring all the time
    await stage.ring(
      `${sixth} ${rest.join(' ')} ${first}- ${second}- ${third}- ${fourth}- ${fifth}-`,
      sixth!,
      'e1',
    );
    await stage.start('c1', user);
    check(stage.holders(user).join() === sixth, 'the sixth in line has the user');
    stage.node(sixth!).holder.moves.change({ paused: true });
    await stage.ring(nine.join(' '), sixth!, 'e1');
    stage.happenings.happen({ at: 0, kind: 'cut client', client: 'c1', clientToldMs: 1, edgeToldMs: 1 });
    await stage.pass(3000);
    check(!stage.hasGap('c1'), 'nothing was lost');
  },
  { setup: wide, bites: 'whoever knows nothing of a user remembers who asked' },
);
