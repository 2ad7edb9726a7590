import type { AttachRequest } from '@pinwheel/protocol';
import t from 'tap';
import { merge, restore, stateOf } from '../src/moves/merge.js';
import type { HeldUser } from '../src/users/held-user.js';
import { FakeLink } from './kit/fake-link.js';
import { attach, OneNode } from './kit/one-node.js';
import { keptState, userState } from './kit/user-state.js';

const plain = { acknowledges: false } as const;
const old = (seq: number) => ({ ...plain, positions: [{ stream: 'old', seq }] });
const state = userState({ next: 4, kept: [1, 2, 3].map((seq) => keptState(seq, `old ${seq}`)) });

/** Somebody who has been at another node comes to this one with its position there, and ends. */
function comesAndGoes(node: OneNode, key: string, fields: Partial<AttachRequest> = old(2)): void {
  const held = node.users.get('alice') ?? node.hold();
  held.ended(attach(held, new FakeLink(), key, fields).session, 1000, '');
}

/** The other node's messages come; what is written of them. */
function merged(node: OneNode, held: HeldUser, link: FakeLink): readonly unknown[] {
  merge(held, state, true, node.clock);
  return link
    .take()
    .filter(([frame]) => frame === 'message')
    .map(([, , , , , text]) => text);
}

t.test('a plain session is not sent what one had that has ended here', async (t) => {
  const node = new OneNode();
  comesAndGoes(node, 'a');
  t.equal(node.users.get('alice'), undefined, 'the user is not held for that');
  const [held, link] = [node.hold(), new FakeLink()];
  attach(held, link, 'b', plain);
  t.same(merged(node, held, link), ['old 3']);
});

t.test('nor is the one after that', async (t) => {
  const node = new OneNode();
  comesAndGoes(node, 'a');
  comesAndGoes(node, 'b', plain);
  const [held, link] = [node.hold(), new FakeLink()];
  attach(held, link, 'c', plain);
  t.same(merged(node, held, link), ['old 3']);
});

t.test('however often it comes anew within that time, it has no more than a few', async (t) => {
  const node = new OneNode();
  for (let i = 0; i < 20; i++) {
    comesAndGoes(node, `a${i}`, { ...plain, positions: [{ stream: `old${i}`, seq: 2 }] });
    comesAndGoes(node, `b${i}`, plain);
  }
  const { former } = attach(node.hold(), new FakeLink(), 'c', plain).session;
  t.same(
    former?.map(({ stream }) => stream),
    ['old16', 'old17', 'old18', 'old19'],
  );
});

t.test('of two that have ended either may be the one that has come back', async (t) => {
  const node = new OneNode();
  comesAndGoes(node, 'a', old(2));
  comesAndGoes(node, 'b', old(1));
  const [held, link] = [node.hold(), new FakeLink()];
  attach(held, link, 'c', plain);
  t.same(merged(node, held, link), ['old 2', 'old 3']);
});

t.test(
  'it goes along to another node, and an edge that attaches the session there does not know of it',
  async (t) => {
    const [node, other] = [new OneNode(), new OneNode({ streams: 'o' })];
    comesAndGoes(node, 'a');
    const held = node.hold();
    const { session } = attach(held, new FakeLink(), 'b', plain);
    const [there, link] = [other.hold(), new FakeLink()];
    restore(there, JSON.parse(JSON.stringify(stateOf(held, 0))), other.clock);
    attach(there, link, session.id, { ...plain, positions: [{ stream: held.stream, seq: 0 }] });
    t.same(merged(other, there, link), ['old 3']);
  },
);

t.test('where the user goes on in the other stream, too', async (t) => {
  const [node, other] = [new OneNode(), new OneNode()];
  comesAndGoes(node, 'a');
  const held = node.hold();
  attach(held, new FakeLink(), 'b', plain);
  const [there, link] = [other.hold(), new FakeLink()];
  restore(there, { ...state, sessions: [] }, other.clock);
  attach(there, new FakeLink(), 'reader', { positions: [{ stream: 'old', seq: 0 }] });
  merge(there, JSON.parse(JSON.stringify(stateOf(held, 0))), true, other.clock);
  attach(there, link, 'b', { ...plain, positions: [{ stream: held.stream, seq: 0 }] });
  t.same(link.takeSeqs(), [3]);
});

t.test('a client that acknowledges says itself what it has', async (t) => {
  const node = new OneNode();
  comesAndGoes(node, 'a', { ...old(2), acknowledges: true });
  const [held, link] = [node.hold(), new FakeLink()];
  attach(held, link, 'b', plain);
  t.same(merged(node, held, link), ['old 1', 'old 2', 'old 3']);
});

t.test('whoever was in this stream alone leaves nothing behind', async (t) => {
  const node = new OneNode();
  const held = node.hold();
  held.ended(attach(held, new FakeLink(), 'a', plain).session, 1000, '');
  t.equal(attach(node.hold(), new FakeLink(), 'b', plain).session.former, undefined);
});

t.test('after the resume window nobody has kept anything any more', async (t) => {
  const node = new OneNode();
  comesAndGoes(node, 'a');
  await node.sweepFor(59);
  t.same(attach(node.hold(), new FakeLink(), 'b', plain).session.former?.at(0), { stream: 'old', seq: 2 });
  await node.sweepFor(2);
  t.equal(attach(node.hold('alice'), new FakeLink(), 'c', plain).session.former, undefined);
});
