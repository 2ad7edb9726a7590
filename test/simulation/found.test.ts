import { schedule, three } from './by-hand.js';
import { Stage } from './stage.js';

// Schedules in which the simulation found what was wrong.

schedule('the holder is lost: a client goes on with its numbers at the next one', async (stage, check) => {
  const user = Stage.user({ 'n1 n2 n3': 'n1', 'n2 n3': 'n2' });
  await stage.start('c1', user);
  for (let i = 0; i < 3; i++) void stage.client('c1').send();
  await stage.pass(100);
  const how = { silent: false, noticedMs: 1, backMs: undefined };
  stage.happenings.happen({ at: 0, kind: 'crash', node: 'n1', ...how });
  await stage.ring('n2 n3');
  await stage.pass(3000);
  void stage.client('c1').send();
  await stage.pass(1000);
  check(stage.sim.ledger.upward.get('c1^4')?.outcome === 'taken', 'its next message is taken');
});

schedule(
  'an edge has given a link up, and what it had sent by it comes late: the newer link counts',
  async (stage, check) => {
    const user = Stage.user({ 'n1 n2 n3': 'n1' });
    await stage.start('c0', user);
    const [link] = [...stage.sim.network.wires].filter((wire) => wire.isBetween('e1', 'n1'));
    link!.freeze();
    stage.sim.addClient({ name: 'c1', user, speech: 'v1' });
    await stage.pass(4000);
    link!.thaw();
    await stage.pass(3000);
    await stage.ring('n2 n3 n1-');
    await stage.pass(2000);
    await stage.send(user);
    for (const name of ['c0', 'c1']) check(stage.had(name).length === 1, `${name} has the message`);
    await stage.ring('n1 n2 n3');
  },
  { setup: { ...three, edgeKeepAliveMs: 1500 }, bites: 'the older link of an edge is closed' },
);

schedule(
  'a user comes and is handed on while others are asked for it: it is not offline',
  async (stage, check) => {
    const user = Stage.user({ 'n1 n2 n3': 'n1', 'n2 n3': 'n2' });
    for (const node of ['n2', 'n3']) stage.next('messages', 'n1', node, { request: 1, answer: 1500 });
    const sending = stage.sim.senders.get('s1')!.send(user);
    await stage.pass(10);
    await stage.start('c1', user);
    await stage.ring('n2 n3 n1-');
    await stage.pass(5000);
    check((await sending).receipt?.status === 'delivered', 'the message is delivered where the user is now');
    await stage.ring('n1 n2 n3');
  },
);

schedule(
  'a holder has yet to try a handoff again and says so: its user is not offline',
  async (stage, check) => {
    const user = Stage.user({ 'n1 n2 n3': 'n1', 'n2 n3': 'n2' });
    await stage.start('c1', user);
    // n2 keeps the copies, and n1 never hears of it
    for (let i = 0; i < 20; i++) stage.next('prepare', 'n1', 'n2', { request: 1, answer: 'lost' });
    await stage.ring('n2 n3 n1-');
    for (let i = 0; i < 8; i++) {
      await stage.pass(100);
      check((await stage.send(user)) === 'delivered', `message ${i + 1} finds the user`);
    }
    await stage.ring('n1 n2 n3');
  },
  { setup: { ...three, callMs: 100 } },
);

schedule(
  'two holders with one session each become one: each hears that it lacks something',
  async (stage, check) => {
    const user = Stage.user({ 'n1 n2 n3': 'n1', 'n2 n3': 'n2' });
    await stage.start('c1', user);
    // n1 is taken for dead by everybody but itself; c1 stays there, and c2 comes to n2
    await stage.ring('n2 n3', 'n2', 'n3', 's1', 'e1');
    await stage.start('c2', user);
    check(stage.holders(user).join() === 'n1,n2', 'there are two holders');
    check((await stage.send(user)) === 'delivered', 'a message is delivered to one of them');
    check(stage.had('c2').length === 1, 'c2 has it');
    await stage.ring('n1 n2 n3');
    await stage.pass(8000);
    check(
      stage.had('c1').length === 1 || stage.hasGap('c1'),
      'c1 has it, or was told that something is lost',
    );
  },
);

schedule(
  'a message is on its way from node to node while its sender tries again: it comes once',
  async (stage, check) => {
    const user = Stage.user({ 'n1 n2 n3': 'n1', 'n2 n3': 'n2' });
    await stage.start('c1', user);
    await stage.ring('n2 n3', 's1');
    stage.next('messages', 's1', 'n2', { request: 1, answer: 1, brokenMs: 100 });
    stage.next('messages', 'n2', 'n1', { request: 1500, answer: 1 });
    void stage.sim.senders.get('s1')!.send(user);
    await stage.pass(10);
    await stage.ring('n1 n2 n3', 's1');
    await stage.pass(1000);
    check(stage.had('c1').length === 1, 'what was sent again has come');
    await stage.pass(3000);
    const [sent] = stage.sim.ledger.sent.values();
    check(sent!.places.length === 1, 'it has one place in the stream');
  },
);

schedule(
  'a user comes to a node that has just been asked: it is asked again, and the user is not offline',
  async (stage, check) => {
    const user = Stage.user({ 'n1 n2 n3': 'n1', 'n1 n3': 'n1', n3: 'n3', 'n2 n3': 'n2' });
    await stage.ring('n1 n3');
    await stage.start('c1', user);
    await stage.ring('n3 n1-', 'n2', 's1');
    await stage.ring('n2 n3 n1-', 'n2', 's1');
    stage.next('messages', 'n2', 'n3', { request: 1, answer: 300 });
    const sending = stage.sim.senders.get('s1')!.send(user);
    await stage.pass(10);
    await stage.ring('n3 n1-', 'n1', 'n3', 'e1');
    await stage.pass(200);
    check(stage.holders(user).join() === 'n3', 'the user has come to n3');
    await stage.pass(3000);
    check((await sending).receipt?.status === 'delivered', 'the message is delivered there');
    await stage.ring('n1 n2 n3');
  },
);

schedule(
  'a session is told of a gap and never reads that: it is told when its two holders become one',
  async (stage, check) => {
    const user = Stage.user({ 'n1 n2 n3': 'n1', 'n2 n3': 'n2' });
    const cut = { at: 0, kind: 'cut client', client: 'c2', clientToldMs: 0, edgeToldMs: 0 } as const;
    await stage.start('c2', user);
    await stage.ring('n2 n3', 'n2', 'n3', 's1', 'e1');
    await stage.start('c3', user);
    void stage.sim.senders.get('s1')!.send(user);
    await stage.pass(500);
    check(stage.had('c3').length === 1, 'a message is delivered to c3 at n2');
    stage.happenings.happen(cut);
    const isAttached = (): boolean => stage.node('n2').holder.users.get(user)!.sessions.length === 2;
    for (let i = 0; i < 60_000 && !isAttached(); i++) await stage.pass(0.5);
    check(isAttached(), 'c2 comes to n2');
    // its welcome is on the way
    stage.happenings.happen({ at: 0, kind: 'client does not read', client: 'c2', forMs: 60_000 });
    await stage.ring('n1 n2 n3', 'n1', 'n3', 'e1');
    stage.happenings.happen(cut);
    await stage.pass(10_000);
    check(!stage.hasGap('c2'), 'c2 goes on at n1 as if nothing were lost');
    await stage.ring('n1 n2 n3');
    await stage.pass(8000);
    check(stage.had('c2').length === 1 || stage.hasGap('c2'), 'c2 was told that something is lost');
  },
);

schedule(
  'the answer that a copy is kept comes when whoever kept it is gone: the holder goes on with the user',
  async (stage, check) => {
    const user = Stage.user({ 'n1 n2 n3': 'n1', 'n1 n3': 'n1', 'n2 n3': 'n2' });
    await stage.start('c1', user);
    stage.next('prepare', 'n1', 'n2', { request: 1, answer: 1000 });
    await stage.ring('n2 n3 n1-');
    await stage.pass(100);
    const how = { silent: true, noticedMs: 1, backMs: undefined };
    stage.happenings.happen({ at: 0, kind: 'crash', node: 'n2', ...how });
    await stage.ring('n1 n3');
    const sending = stage.sim.senders.get('s1')!.send(user);
    await stage.pass(5000);
    check(
      (await sending).receipt?.status === 'delivered',
      'a message that waited for the outcome is delivered',
    );
    check(stage.holders(user).join() === 'n1', 'n1 has the user');
  },
);

for (const [who, ring] of [
  ['it hands the user over', 'n2 n3'],
  ['it is given the user back', 'n1 n2 n3'],
] as const) {
  schedule(
    `a plain client comes anew while its former holder stands still; as that wakes ${who}: nothing comes twice`,
    async (stage, check) => {
      const user = Stage.user({ 'n1 n2 n3': 'n1', 'n2 n3': 'n2' });
      await stage.start('c1', user, 'plain');
      void stage.sim.senders.get('s1')!.send(user);
      await stage.pass(50);
      check(stage.had('c1').length === 1, 'a message is delivered, of which n1 has not heard that it came');
      const pause = { at: 0, kind: 'pause', node: 'n1', forMs: 15_000, noticedMs: undefined } as const;
      stage.happenings.happen(pause);
      // neither that nor the end of the link reaches n1 before it has handed the user over
      const freeze = {
        at: 0,
        kind: 'freeze link',
        edge: 'e1',
        node: 'n1',
        from: 'edge',
        forMs: 60_000,
      } as const;
      stage.happenings.happen(freeze);
      await stage.ring('n2 n3');
      await stage.pass(8000);
      stage.happenings.happen({ at: 0, kind: 'drain edge', edge: 'e1', backMs: 100 });
      await stage.pass(500);
      await stage.ring('n2 n3', 'e1');
      await stage.pass(2500);
      const { events } = stage.sim.ledger.clients.get('c1')!;
      check(events.filter(({ kind }) => kind === 'welcome').length === 2, 'c1 has come anew');
      check((await stage.send(user)) === 'delivered', 'it is there');
      await stage.ring(ring);
      await stage.pass(8000);
      check(stage.had('c1').length === 2, 'each message has come once');
    },
    { bites: 'what a plain client had is not sent to it as it comes anew' },
  );
}

/** What its application has had of the client, in all nodes. */
const applied = ({ sim }: Stage, client: string): readonly string[] =>
  sim.ledger.applied.flatMap(({ text }) => (text.startsWith(`${client}^`) ? [text] : []));

schedule(
  'a client ends while its link is down: what it sent last is processed, and its user is offline',
  async (stage, check) => {
    const user = Stage.user({ 'n1 n2 n3': 'n1' });
    await stage.start('c1', user);
    stage.happenings.happen({
      at: 0,
      kind: 'cut link',
      edge: 'e1',
      node: 'n1',
      edgeToldMs: 1,
      nodeToldMs: 1,
    });
    await stage.pass(5);
    stage.happenings.happen({ at: 0, kind: 'client sends', client: 'c1', count: 3 });
    stage.happenings.happen({ at: 0, kind: 'client closes', client: 'c1' });
    await stage.pass(3000);
    check(applied(stage, 'c1').join() === 'c1^1,c1^2,c1^3', `[${applied(stage, 'c1')}] were processed`);
    check((await stage.send(user)) === 'offline', 'nobody waits for the client');
  },
);

schedule(
  'a plain client ends while REPIN is on its way: what it sent last is processed by the next holder',
  async (stage, check) => {
    const user = Stage.user({ 'n1 n2 n3': 'n1', 'n2 n3': 'n2' });
    await stage.start('c1', user, 'plain');
    const [link] = [...stage.sim.network.wires].filter((wire) => wire.isBetween('e1', 'n1'));
    link!.freeze([link!.b]);
    await stage.ring('n2 n3 n1-');
    await stage.pass(500);
    stage.happenings.happen({ at: 0, kind: 'client sends', client: 'c1', count: 2 });
    await stage.pass(5);
    stage.happenings.happen({ at: 0, kind: 'cut client', client: 'c1', clientToldMs: 1, edgeToldMs: 1 });
    await stage.pass(5);
    link!.thaw();
    await stage.pass(3000);
    check(applied(stage, 'c1').join() === 'c1^1,c1^2', `[${applied(stage, 'c1')}] were processed`);
    await stage.ring('n1 n2 n3');
  },
);

schedule(
  'an edge drains while a message for its plain client is on the link: that comes before the close',
  async (stage, check) => {
    const user = Stage.user({ 'n1 n2 n3': 'n1' });
    await stage.start('c1', user, 'plain');
    const [link] = [...stage.sim.network.wires].filter((wire) => wire.isBetween('e1', 'n1'));
    link!.freeze([link!.b]);
    const sending = stage.sim.senders.get('s1')!.send(user);
    await stage.pass(50);
    check((await sending).receipt?.status === 'delivered', 'it was delivered');
    stage.happenings.happen({ at: 0, kind: 'drain edge', edge: 'e1', backMs: 20_000 });
    await stage.pass(50);
    link!.thaw();
    await stage.pass(500);
    check(stage.had('c1').length === 1, 'the client has it');
  },
  { bites: 'a client whose edge drains is closed behind what was accepted for it' },
);
