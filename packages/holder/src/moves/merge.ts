import { Buffer } from 'node:buffer';
import { memoryFor } from '../inbox/inbox-budget.js';
import { bytesOf } from '../inbox/inbox-record.js';
import type { HeldContext } from '../users/held-context.js';
import type { HeldUser } from '../users/held-user.js';
import { LinkSession } from '../users/link-session.js';
import { type Absorbed, maxStreams, type SessionState, type UserState } from '../users/user-state.js';

/** Ids of messages that nobody needs any more travel too, so that they are recognised; so many of them. */
const maxSeen = 64;

/** A user as it travels. */
export function stateOf(held: HeldUser, second: number): UserState {
  const inbox = held.openInbox();
  const kept = [...inbox.after(0)].map(({ seq, id, binary, data, origins }) => ({
    seq,
    id,
    binary,
    base64: Buffer.from(data).toString('base64'),
    origins,
  }));
  return {
    stream: held.stream,
    next: inbox.next,
    kept,
    seen: inbox.seen(second, maxSeen),
    sessions: sessionsOf(held),
    absorbed: held.absorbed ?? [],
    isPartial: held.isPartial,
    contested: [...(held.contested ?? [])],
  };
}

function sessionsOf({ sessions }: HeldUser): readonly SessionState[] {
  return sessions.flatMap((session) => (session instanceof LinkSession ? [session.state] : []));
}

/**
 * Whether the sessions of a state are still to be expected where it goes. One that has ended since it was written would be
 * waited for in vain, and end twice; so would a plain client that was coming, and has lost its link.
 */
export function canStillCome(held: HeldUser, { sessions }: UserState): boolean {
  return sessions.every(({ key, acknowledges, isComing }) => {
    const session = held.sessionOf(key);
    return session !== undefined && (acknowledges || !isComing || session.canWait);
  });
}

/** What the inbox of such a user takes of the node's memory for inboxes; 0 when no message is kept. */
export function memoryOf({ kept, seen }: UserState): number {
  if (kept.length === 0) return 0;
  let bytes = 0;
  for (const { id, base64 } of kept) bytes += bytesOf(id, { length: Math.ceil(base64.length * 0.75) });
  for (const { id } of seen) bytes += bytesOf(id, { length: 0 });
  return memoryFor(bytes);
}

/** Makes a user of a state whose holder has given it up: the same stream, its sessions expected. */
export function restore(held: HeldUser, state: UserState, context: Pick<HeldContext, 'now'>): void {
  const second = Math.floor(context.now() / 1000);
  held.renewStream(state.next - state.kept.length, state.stream);
  const inbox = held.inbox!;
  inbox.recall(state.seen, second);
  for (const { id, binary, base64, origins } of state.kept) {
    inbox.append(id, binary, Buffer.from(base64, 'base64'), second, 0);
    if (origins.length > 0) inbox.setOrigins(inbox.next - 1, origins);
  }
  held.absorbed = state.absorbed.length > 0 ? state.absorbed : undefined;
  held.isPartial = state.isPartial;
  held.contested = state.contested.length > 0 ? new Set(state.contested) : undefined;
  for (const session of state.sessions) {
    const expected = expect(held, session, session.acked, session.covers, session.isComing);
    expected.begins = session.begins;
    expected.gapAt = session.gapAt;
  }
}

/**
 * Takes the state of another holder into a user that is held here, in a stream of its own: kept messages are appended
 * with their places of origin, and an id that is kept here only adds its origin.
 *
 * @param isWhole whether nothing of the other stream can be missing: whoever comes with a position in it has then
 * lost nothing.
 */
export function merge(
  held: HeldUser,
  state: UserState,
  isWhole: boolean,
  context: Pick<HeldContext, 'now'>,
): void {
  const second = Math.floor(context.now() / 1000);
  const inbox = held.openInbox();
  const sessionsHere = sessionsOf(held);
  const surelyHere = surelyHadBehind(held.stream, sessionsHere, state.sessions);
  const surelyThere = surelyHadBehind(state.stream, state.sessions, sessionsHere);
  // what either holder has let go of is lost for the other one's sessions
  const gone = state.next - state.kept.length - 1;
  for (const session of held.sessions) {
    if (session instanceof LinkSession && (state.isPartial || had(session, state) < gone)) held.lost(session);
  }
  for (const session of held.sessions) if (session instanceof LinkSession) coverHere(session);
  // sessions that come from the other stream have had nothing of this one
  const at = inbox.firstKept - 1;
  // before the messages are appended, so that they are kept for them
  for (const session of state.sessions) {
    const known = held.sessionOf(session.key);
    const covers = [...session.covers, { stream: state.stream, seq: session.acked }].slice(-maxStreams);
    if (known === undefined) {
      // nobody has told its edge when its holder is lost
      const expected = expect(held, session, at, covers, isWhole && session.isComing);
      // what was let go of before it was merged here may have passed it by, though it had a place in this stream once
      if (session.gapAt !== null || held.isPartial) expected.gapAt = inbox.next;
    } else {
      // the connection that is attached here must be told when the newer one comes
      if (known.link === undefined) known.epoch = Math.max(known.epoch, session.epoch);
      known.taken = Math.max(known.taken, session.taken);
      known.accepted = Math.max(known.accepted, known.taken);
      known.announced ||= session.announced;
      if (session.gapAt !== null) held.lost(known);
    }
  }
  for (const { seq, id, binary, base64, origins } of state.kept) {
    const all = [...origins, { stream: state.stream, seq }];
    const known = inbox.find(id);
    if (known !== undefined && known.seq >= inbox.firstKept) {
      inbox.setOrigins(known.seq, all);
      continue;
    }
    inbox.append(id, binary, Buffer.from(base64, 'base64'), second, known?.sessions ?? 0);
    inbox.setOrigins(inbox.next - 1, all);
    // who had it here, before it was let go of, does not get it again
    if (known !== undefined && known.seq > surelyHere)
      inbox.setOrigins(inbox.next - 1, [{ stream: held.stream, seq: known.seq }]);
  }
  // nor does who had it there get what is kept here alone
  for (const { id, seq = 0 } of state.seen) {
    const known = seq > surelyThere ? inbox.find(id) : undefined;
    if (known !== undefined) inbox.setOrigins(known.seq, [{ stream: state.stream, seq }]);
  }
  const isWholeHere = at === 0 && !held.isPartial;
  if (gone > 0 || state.isPartial) {
    held.isPartial = true;
    held.absorbed = undefined;
  }
  if (isWhole && isWholeHere) absorb(held, state, at);
  if (state.contested.length > 0) held.contested = new Set([...(held.contested ?? []), ...state.contested]);
  // a copy: one that leaves ends when it has caught up
  for (const session of [...held.sessions]) if (session instanceof LinkSession) held.catchUp(session);
  held.toSweep();
  held.lookAtWaits();
}

/**
 * Behind which place of a stream whoever is beyond a message that was let go of has had it for sure. Before it, a session may
 * stand there without having had it: it came later, or lost what stood before.
 *
 * @param there sessions of the stream's holder.
 * @param elsewhere those of another holder, where nobody knows since when they read along.
 */
function surelyHadBehind(
  stream: string,
  there: readonly SessionState[],
  elsewhere: readonly SessionState[],
): number {
  const keys = new Set(there.map(({ key }) => key));
  const others = elsewhere.filter(({ key }) => !keys.has(key));
  const claimed = others.flatMap(({ covers, former }) => [...covers, ...former]);
  const places = claimed.filter((position) => position.stream === stream).map(({ seq }) => seq);
  return Math.max(0, ...there.map(({ begins }) => begins), ...places);
}

/** Up to where a session has had the stream of that state. */
function had({ id, covers, held, acked }: LinkSession, { stream, sessions }: UserState): number {
  const there = sessions.find(({ key }) => key === id)?.acked ?? 0;
  const here = stream === held.stream ? acked : 0;
  const seqs = (covers ?? []).filter((position) => position.stream === stream).map(({ seq }) => seq);
  return Math.max(there, here, ...seqs);
}

/** What the session has had of this stream may come back by way of the other one, after it was let go of here. */
function coverHere(session: LinkSession): void {
  const { stream } = session.held;
  const others = (session.covers ?? []).filter((position) => position.stream !== stream);
  session.covers = [...others.slice(-maxStreams), { stream, seq: session.had }];
}

function absorb(held: HeldUser, state: UserState, at: number): void {
  const from = state.next - state.kept.length;
  const absorbed: Absorbed[] = [...(held.absorbed ?? [])];
  // what the other had absorbed is whole here only when it had kept everything since
  for (const one of state.absorbed) if (from - 1 <= one.at) absorbed.push({ ...one, at });
  absorbed.push({ stream: state.stream, from, at });
  held.absorbed = absorbed.slice(-maxStreams);
}

function expect(
  held: HeldUser,
  session: SessionState,
  position: number,
  covers: SessionState['covers'],
  isComing: boolean,
): LinkSession {
  const { taken, announced } = session;
  const expected = new LinkSession(held, session, position);
  expected.accepted = expected.taken = taken;
  expected.announced = announced;
  expected.covers = covers.length > 0 ? covers : undefined;
  expected.former = session.former.length > 0 ? session.former : undefined;
  expected.isComing = isComing;
  held.addSession(expected);
  held.detach(expected);
  return expected;
}
