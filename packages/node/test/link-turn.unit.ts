import t from 'tap';
import { until } from '../../../test/kit/until.js';
import { LinkTurn } from '../src/link/link-turn.js';
import { connectEdge } from './kit/fake-edge.js';
import { startNodes } from './kit/nodes.js';
import { post } from './kit/requests.js';

t.test('what is said of a turn comes behind what it writes', async (t) => {
  const turn = new LinkTurn();
  const done: string[] = [];
  turn.whenWritten(() => done.push('nothing is to be written'));
  t.same(done, ['nothing is to be written']);
  turn.soon(() => {
    done.push('one link');
    turn.soon(() => done.push('what that brings'));
    turn.whenWritten(() => done.push('said of that'));
  });
  turn.whenWritten(() => done.push('said of the first'));
  turn.soon(() => done.push('another link'));
  turn.whenWritten(() => done.push('said of both'));
  t.equal(done.length, 1, 'not within the turn');
  await until('all is done', () => done.length === 7);
  t.same(done.slice(1), [
    'one link',
    'said of the first',
    'another link',
    'said of both',
    'what that brings',
    'said of that',
  ]);
});

t.test('a sender hears that a message was written when it was', async (t) => {
  const nodes = await startNodes(t, ['n1']);
  nodes.haveLinks = true;
  const node = nodes.of('n1');
  const edge = await connectEdge(t, node);
  const ann = await edge.attached('ann');
  // a turn that does not end
  const { setImmediate: real } = globalThis;
  const held: (() => void)[] = [];
  globalThis.setImmediate = ((call: () => void) => held.push(call)) as unknown as typeof setImmediate;
  t.teardown(() => {
    globalThis.setImmediate = real;
  });
  let isAnswered = false;
  const answer = post(node, 'ann', 'x').finally(() => {
    isAnswered = true;
  });
  await until('the message is there', () => held.length > 0);
  await new Promise((resolve) => setTimeout(resolve, 200));
  t.notOk(isAnswered);
  t.equal(ann.messages.length, 0);
  globalThis.setImmediate = real;
  for (const call of held) call();
  t.equal((await answer).status, 200);
  await until('it has come', () => ann.messages.length === 1);
});
