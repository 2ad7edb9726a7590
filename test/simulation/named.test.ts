import { schedule } from './by-hand.js';
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
  { bites: 'the sessions of a user who is handed over are expected' },
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
    // c2 is away: what comes now is kept for it
    stage.client('c2').process.pause();
    stage.happenings.happen({ at: 0, kind: 'cut client', client: 'c2', clientToldMs: 1, edgeToldMs: 1 });
    await stage.pass(10);
    await stage.send(user);
    check(stage.had('c2').length === 1, 'c2 lacks the second message');
    // n1 is taken for dead; both come to n2 and get a new stream
    stage.node('n1').process.pause();
    await stage.ring('n2 n3', 'n2', 'n3', 'e1', 's1');
    stage.client('c2').process.wake();
    await stage.pass(14_000);
    await stage.send(user);
    check(stage.had('c2').length === 2, 'c2 has the third message before the second');
    stage.node('n1').process.wake();
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
  { bites: 'what two holders have kept is replayed as they become one' },
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
    await stage.start('c2', user);
    // a message is kept for c2, which is away
    const cut = { at: 0, kind: 'cut client', client: 'c2', clientToldMs: 12_000, edgeToldMs: 1 } as const;
    stage.happenings.happen(cut);
    await stage.pass(10);
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
    check(stage.had('c2').length === 2, 'what was kept has not gone with the target');
    await stage.ring('n1 n3');
  },
  { bites: 'a holder takes a user back whose next holder is gone' },
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
  { bites: 'users of a member that has just died are awaited' },
);

schedule(
  'a client closes while its link is down: its session ends as soon as the link is back, and leaves no ghost',
  async (stage, check) => {
    const user = Stage.user({ 'n1 n2 n3': 'n1' });
    await stage.start('c1', user);
    const cut = { at: 0, kind: 'cut link', edge: 'e1', node: 'n1', edgeToldMs: 1, nodeToldMs: 1 } as const;
    stage.happenings.happen(cut);
    await stage.pass(5);
    stage.happenings.happen({ at: 0, kind: 'client closes', client: 'c1' });
    await stage.pass(5);
    check(stage.holders(user).join() === 'n1', 'n1 has not heard of it');
    const { resumeWindowMs } = stage.sim.setup.limits;
    await stage.pass(resumeWindowMs / 60);
    check(stage.holders(user).length === 0, 'long before the resume window is over nobody holds the user');
    check((await stage.send(user)) === 'offline', 'and it is offline');
  },
  { bites: 'an edge keeps a session that has ended until its node has heard of it' },
);
