import { deliverTo, type HeldUser, type Holder } from '@pinwheel/holder';
import { type Message, Receipts } from '@pinwheel/protocol';

/** Users written to before others get their turn of the event loop. */
const usersPerTurn = 1000;

/**
 * Writes a payload to every session of every user who is held here. Whoever is about to leave is written to if it stays:
 * its new holder was told where its stream ends. Resolves with the number of sessions.
 *
 * @param walked is called when only those who are about to leave have yet to be written to.
 */
export async function deliverToEverybody(
  holder: Holder,
  payload: Pick<Message, 'data' | 'binary' | 'id'>,
  walked = (): void => {},
): Promise<number> {
  const batch: readonly Message[] = [{ user: '', ...payload, waitForClient: false, repeated: false }];
  const picked = [0];
  const written = new Uint16Array(1);
  const receipts = new Receipts(1);
  const later: Promise<void>[] = [];
  let delivered = 0;
  let turn = 0;
  const write = (held: HeldUser): void => {
    // users come and go between the turns
    if (holder.users.known(held.user) !== held) return;
    if (held.isFrozen) {
      // in the moment of the thaw: who is written to then must have had this before what comes next
      later.push(
        new Promise((done) => {
          held.whenThawed(() => {
            write(held);
            done();
          });
        }),
      );
      return;
    }
    written[0] = 0;
    deliverTo(held, batch, picked, written, receipts, holder.second);
    delivered += written[0]!;
  };
  for (const held of [...holder.users.users()]) {
    write(held);
    if (++turn % usersPerTurn === 0) await new Promise(setImmediate);
  }
  walked();
  // whoever is frozen again by then is added at its end
  for (const one of later) await one;
  return delivered;
}
