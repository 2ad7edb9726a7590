import type { Message, ReceiptDetail, Receipts } from '@pinwheel/protocol';
import type { HeldUser, SessionTable } from './session-table.js';

/** Places in a batch of the messages for users who are not here, by user. */
export type Missing = ReadonlyMap<string, readonly number[]>;

const tooSlow: ReceiptDetail = {
  error: { code: 'overloaded', message: 'every session of the user is at its bound of unread bytes' },
};
const nobodyMissing: Missing = new Map();

/**
 * Delivers what it can of a batch: user by user, so that all messages for a user reach a session in one write.
 * A user's messages of one batch share their fate but for back-pressure, which keeps them in order.
 */
export function deliver(table: SessionTable, batch: readonly Message[], receipts: Receipts): Missing {
  const here: HeldUser[] = [];
  let missing: Map<string, number[]> | undefined;
  for (let i = 0; i < batch.length; i++) {
    const { user } = batch[i]!;
    const held = table.get(user);
    if (held !== undefined) {
      if (held.picked.length === 0) here.push(held);
      held.picked.push(i);
      continue;
    }
    missing ??= new Map();
    const places = missing.get(user);
    if (places === undefined) missing.set(user, [i]);
    else places.push(i);
  }
  if (here.length > 0) {
    const written = new Uint16Array(batch.length);
    for (const held of here) {
      // taken out first: a session that closes while it is written to must not leave the scratch dirty
      const picked = held.picked.splice(0);
      deliverTo(held, batch, picked, written, receipts);
    }
  }
  return missing ?? nobodyMissing;
}

/** Delivers messages for one user who is here. */
export function deliverTo(
  held: HeldUser,
  batch: readonly Message[],
  picked: readonly number[],
  written: Uint16Array,
  receipts: Receipts,
): void {
  const { sessions } = held;
  if (sessions.length === 1) sessions[0]!.write(batch, picked, written);
  else for (const session of [...sessions]) session.write(batch, picked, written);
  for (const i of picked) {
    if (written[i]! > 0) receipts.set(i, 'delivered', written[i]!);
    else receipts.set(i, 'overloaded', 0, tooSlow);
  }
}
