import type { Holder } from '@pinwheel/holder';
import t from 'tap';
import { DirectSession, OneNode } from '../../holder/test/kit/one-node.js';
import { deliverToEverybody } from '../src/delivery/everybody.js';

t.test(
  'who is about to leave and stays has everything in its order, whoever else is still frozen',
  async (t) => {
    const node = new OneNode();
    const holder = { users: node.users, second: node.second } as unknown as Holder;
    const [anne, bert, carl] = ['anne', 'bert', 'carl'].map((user) => {
      return new DirectSession(node.hold(user), `${user}'s`);
    }) as [DirectSession, DirectSession, DirectSession];
    const post = (text: string): { readonly walked: Promise<void>; readonly all: Promise<number> } => {
      let walked = (): void => {};
      const isWalked = new Promise<void>((resolve) => {
        walked = resolve;
      });
      const payload = { data: Buffer.from(text), binary: false, id: text };
      return { walked: isWalked, all: deliverToEverybody(holder, payload, walked) };
    };
    anne.held.freeze();
    bert.held.freeze();
    const first = post('first');
    await first.walked;
    t.same(carl.texts, ['first'], 'nobody waits for those who are about to leave');
    bert.held.thaw();
    const second = post('second');
    await second.walked;
    t.same(bert.texts, ['first', 'second']);
    anne.held.thaw();
    anne.held.freeze();
    anne.held.thaw();
    t.same(await Promise.all([first.all, second.all]), [3, 3]);
    t.same(anne.texts, ['first', 'second']);
    t.same(carl.texts, ['first', 'second']);
  },
);
