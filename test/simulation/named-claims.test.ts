import { defaultHolderLimits } from '@pinwheel/holder';
import { schedule, three } from './by-hand.js';
import { Stage } from './stage.js';

// Who asks for a user, and what is said.

const nine = ['n1', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7', 'n8', 'n9'];
const wide = { nodes: nine, mostRings: 1, windowMs: 50 };

schedule(
  'a claim comes to B while the user is in flight from A to B and the ring already says C',
  async (stage, check) => {
    const user = 'alice';
    const [c, , , , b, a, ...rest] = Stage.order(nine, user);
    const others = rest.join(' ');
    // C knows nothing of all this, and A is too far down its ring to be asked
    await stage.ring(`${a} ${others}`, a!, b!, ...rest, 'e1');
    await stage.start('c1', user);
    check(stage.holders(user).join() === a, 'A has the user');
    stage.next('prepare', a!, b!, { request: 1, answer: 'lost', brokenMs: 1500 });
    await stage.ring(`${b} ${a} ${others}`, a!, b!, ...rest);
    await stage.pass(30);
    check(stage.node(b!).holder.copies.count === 1, 'B has a copy');
    await stage.ring(nine.join(' '));
    stage.happenings.happen({ at: 0, kind: 'cut client', client: 'c1', clientToldMs: 1, edgeToldMs: 1 });
    await stage.pass(5000);
    check(stage.holders(user).join() === c, 'C has the user');
    check(!stage.hasGap('c1'), 'nothing was lost');
  },
  { setup: wide, bites: 'a copy names the holder that it came from' },
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
    const user = Stage.user({ 'n1 n2 n3': 'n1', 'n2 n3': 'n2', n3: 'n3' });
    const isAsked = async (node: string): Promise<void> => {
      for (let i = 0; i < 2000 && stage.node(node).holder.claims.underWay === 0; i++) await stage.pass(0.5);
      await stage.pass(5);
    };
    // who asks for the user hears that nobody has it when it is not the owner any more
    stage.next('claim', 'n1', 'n2', { request: 1, answer: 300 });
    stage.next('claim', 'n2', 'n1', { request: 1, answer: 300 });
    stage.sim.addClient({ name: 'c1', user, speech: 'v1' });
    await isAsked('n1');
    await stage.ring('n2 n3 n1-');
    await isAsked('n2');
    await stage.ring('n1 n2 n3');
    await stage.ring('n3 n1- n2-');
    const to = (node: string): string | undefined => {
      const known = stage.node(node).holder.users.known(user);
      return known?.kind === 'released' ? known.to : undefined;
    };
    await stage.pass(250);
    check(to('n1') === 'n2' && to('n2') === 'n1', 'the tombstones of n1 and n2 point at each other');
    await stage.pass(3000);
    check(stage.holders(user).join() === 'n3', 'n3 has the user');
    check(stage.node('n3').holder.contested.count === 0, 'and knows that nobody else has');
    await stage.ring('n1 n2 n3');
    await stage.pass(3000);
    check((await stage.send(user)) === 'delivered', 'a message finds the user');
    check(stage.holders(user).join() === 'n1', 'the owner has the user');
  },
  { bites: 'those who name each other in a circle have nobody' },
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
