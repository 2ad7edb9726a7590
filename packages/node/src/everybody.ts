import { deliverTo, type Holder } from '@pinwheel/holder';
import { type Message, Receipts } from '@pinwheel/protocol';

/** Users written to before others get their turn of the event loop. */
const usersPerTurn = 1000;

/** Writes a payload to every session of every user who is held here. Resolves with the number of sessions. */
export async function deliverToEverybody(
  holder: Holder,
  payload: Pick<Message, 'data' | 'binary' | 'id'>,
): Promise<number> {
  const batch: readonly Message[] = [{ user: '', ...payload, waitForClient: false, repeated: false }];
  const picked = [0];
  const written = new Uint16Array(1);
  const receipts = new Receipts(1);
  let delivered = 0;
  let turn = 0;
  // a copy: users come and go between the turns
  for (const held of [...holder.users.users()]) {
    written[0] = 0;
    deliverTo(held, batch, picked, written, receipts, holder.second);
    delivered += written[0]!;
    if (++turn % usersPerTurn === 0) await new Promise(setImmediate);
  }
  return delivered;
}
