import type { Message, ReceiptDetail, Receipts } from '@pinwheel/protocol';
import type { HeldUser } from './held-user.js';
import type { Users } from './users.js';

/** Places in a batch of the messages that cannot be delivered here and now, by user. */
export type Missing = ReadonlyMap<string, readonly number[]>;

const tooSlow: ReceiptDetail = {
  error: { code: 'overloaded', message: 'every session of the user is at its bound of unread bytes' },
};
/** It is kept, and nobody knows whether one of them comes back for it. */
const inDoubt: ReceiptDetail = {
  error: {
    code: 'unknown-outcome',
    message: 'no session of the user could be written to; it may get it yet',
  },
};
const inboxFull: ReceiptDetail = {
  error: { code: 'overloaded', message: 'the user is away and its inbox is at its bound' },
};
const nobodyHere: ReceiptDetail = {
  error: { code: 'unavailable', message: 'the user has no session here; whether elsewhere is being asked' },
};
const linkLost: ReceiptDetail = {
  error: {
    code: 'unavailable',
    message: 'the link of its edge is lost; whether the client comes back is not known',
  },
};
const nobodyMissing: Missing = new Map();
/** Before a stream's numbers run out it is replaced. */
const lastSeq = 0xffff_0000;

/**
 * Delivers what it can of a batch: user by user, so that all messages for a user reach a session in one write.
 * A user's messages of one batch share their fate but for back-pressure, which keeps them in order. Users who are not
 * held here, or are on the way to another node, are missing.
 *
 * @param second of the node's clock.
 */
export function deliver(
  users: Users,
  batch: readonly Message[],
  receipts: Receipts,
  second: number,
): Missing {
  const here: HeldUser[] = [];
  let missing: Map<string, number[]> | undefined;
  for (let i = 0; i < batch.length; i++) {
    const { user } = batch[i]!;
    const known = users.known(user);
    if (known?.kind === 'held' && !known.isFrozen) {
      if (known.picked.length === 0) here.push(known);
      known.picked.push(i);
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
      deliverTo(held, batch, picked, written, receipts, second);
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
  second: number,
): void {
  const { inbox, sessions } = held;
  if (inbox === undefined || held.linkSessions === 0) {
    for (let k = 0; k < picked.length && inbox !== undefined; k++) inbox.skip();
    write(held, batch, picked, 0, written);
    for (const i of picked) {
      if (written[i]! > 0) receipts.set(i, 'delivered', written[i]!);
      else receipts.set(i, 'overloaded', 0, whyNobody(held));
    }
    return;
  }
  if (inbox.next > lastSeq) held.restartStream();
  let live = 0;
  for (const session of sessions) if (session.isLive) live++;
  const numbered = keep(held, batch, picked, live, receipts, second);
  held.toSweep();
  const first = held.inbox!.next - numbered.length;
  write(held, batch, numbered, first, written);
  let isShort = false;
  for (let k = 0; k < numbered.length; k++) {
    const i = numbered[k]!;
    const detail = placeOf(held, batch[i]!, first + k);
    const isKept = first + k >= held.inbox!.firstKept;
    if (written[i]! < live) isShort = true;
    if (written[i]! > 0) receipts.set(i, 'delivered', written[i]!, detail);
    else if (isKept && held.canWait) receipts.set(i, 'queued', 0, detail);
    else receipts.set(i, 'overloaded', 0, isKept ? inDoubt : tooSlow);
  }
  // when one comes again it is said what became of it, and not what was to
  if (isShort) held.inbox!.wereWritten(first, (k) => written[numbered[k]!]!);
}

/** Numbers and keeps messages; those that are known already or find no room have their receipts. */
function keep(
  held: HeldUser,
  batch: readonly Message[],
  picked: readonly number[],
  live: number,
  receipts: Receipts,
  second: number,
): readonly number[] {
  const inbox = held.inbox!;
  const canWait = live > 0 || held.canWait;
  let numbered: number[] | undefined;
  for (let k = 0; k < picked.length; k++) {
    const i = picked[k]!;
    const message = batch[i]!;
    const seen = message.repeated ? inbox.find(message.id) : undefined;
    const { id, binary, data } = message;
    if (seen === undefined && live > 0) inbox.append(id, binary, data, second, live);
    if (seen === undefined && (live > 0 || (canWait && inbox.offer(id, binary, data, second, 0)))) {
      numbered?.push(i);
      continue;
    }
    numbered ??= picked.slice(0, k);
    if (seen === undefined) receipts.set(i, 'overloaded', 0, canWait ? inboxFull : whyNobody(held));
    else if (seen.sessions === 0 && !held.canWait) receipts.set(i, 'overloaded', 0, whyNobody(held));
    else {
      const status = seen.sessions > 0 ? 'delivered' : 'queued';
      receipts.set(i, status, seen.sessions, placeOf(held, message, seen.seq));
    }
  }
  return numbered ?? picked;
}

/** Why a user who is held here has no session that can be written to, or waited for. */
function whyNobody({ linkSessions, sessions }: HeldUser): ReceiptDetail {
  if (sessions.length === 0) return nobodyHere;
  return linkSessions < sessions.length ? tooSlow : linkLost;
}

/** Said of messages whose acknowledgement will be asked for. */
function placeOf({ stream }: HeldUser, { waitForClient }: Message, seq: number): ReceiptDetail | undefined {
  return waitForClient ? { stream, seq } : undefined;
}

function write(
  { sessions }: HeldUser,
  batch: readonly Message[],
  picked: readonly number[],
  first: number,
  written: Uint16Array,
): void {
  if (sessions.length === 1) sessions[0]!.write(batch, picked, first, written);
  // a copy: a session may close while it is written to
  else for (const session of [...sessions]) session.write(batch, picked, first, written);
}
