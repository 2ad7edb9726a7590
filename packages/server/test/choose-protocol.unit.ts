import t from 'tap';
import { chooseProtocol } from '../src/index.js';

const edge = ['pinwheel.v1', 'pinwheel.raw'];
const node = ['pinwheel.raw'];

t.test('of what a client offers, one is chosen', async (t) => {
  const cases: readonly (readonly [offered: string, spoken: readonly string[], chosen: string])[] = [
    ['', edge, ''],
    ['pinwheel.v1', edge, 'pinwheel.v1'],
    ['chat, bearer.x , pinwheel.raw,pinwheel.v1', edge, 'pinwheel.v1'],
    ['chat, pinwheel.raw', edge, 'pinwheel.raw'],
    ['bearer.secret, chat, other', edge, 'chat'],
    ['bearer.secret', edge, ''],
    ['pinwheel.v1', node, ''],
    ['pinwheel.v1, bearer.secret, pinwheel.raw', node, 'pinwheel.raw'],
    ['pinwheel.v1, chat', node, 'chat'],
    ['pinwheel.v2', edge, ''],
    ['pinwheel.v2, pinwheel.v1', edge, 'pinwheel.v1'],
    ['pinwheel.v10, chat', node, 'chat'],
  ];
  for (const [offered, spoken, chosen] of cases) {
    t.equal(chooseProtocol(offered, spoken), chosen, `${offered || 'nothing'} where ${spoken[0]} is spoken`);
  }
});
