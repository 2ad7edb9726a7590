import type { UserState } from '@pinwheel/holder';
import {
  Copies,
  Departed,
  EdgeSession,
  Forwarder,
  Handoffs,
  HeldUser,
  Holder,
  Inbox,
  KnownIds,
  Lanes,
  Link,
  Moves,
  NodeLink,
  Ownership,
} from './mechanisms.js';

/** Replaces a method for every object of its class. @returns the call that puts it back. */
function replace<T extends object, K extends keyof T>(
  prototype: T,
  name: K,
  make: (original: T[K]) => T[K],
): () => void {
  const original = prototype[name];
  prototype[name] = make(original);
  return () => {
    prototype[name] = original;
  };
}

function nothing(): undefined {}

/**
 * The protections of the protocol, each as the call that takes it away from every process; that call returns the one
 * that brings it back. What they protect from is in PROTOCOL.md.
 */
export const protections: Readonly<Record<string, () => () => void>> = {
  'frames count only from the link and number that a session is pinned to': () =>
    replace(Link.prototype, 'unpin', () => nothing),

  'a handoff has two phases': () =>
    replace(
      Copies.prototype,
      'prepare',
      (original) =>
        function (this: Copies, request) {
          const answers = original.call(this, request);
          for (const [i, { user, handoff }] of request.users.entries())
            if (answers[i]?.kind === 'kept') this.commitOne(user, handoff);
          return answers;
        },
    ),

  'an attach is never passed on': () =>
    replace(
      NodeLink.prototype,
      'repin',
      (original) =>
        function (this: NodeLink, session, to, handoff) {
          // another node gives the answer, by a link that the session is not pinned to
          if (!this.isWaiting(session)) original.call(this, session, to, handoff);
        },
    ),

  'a claim follows a tombstone': () =>
    replace(
      Holder.prototype,
      'claim',
      (original) =>
        async function (this: Holder, request) {
          const answer = await original.call(this, request);
          const answers = answer.answers.map((one) =>
            one.kind === 'moved' ? { kind: 'none' as const } : one,
          );
          return { ...answer, answers };
        },
    ),

  'a question that fails says nothing of a user': () =>
    replace(
      Forwarder.prototype,
      'forward',
      (original) =>
        async function (this: Forwarder, member, messages, options) {
          const ends = await original.call(this, member, messages, options);
          if (!options.noForward) return ends;
          return ends.map((end, i) =>
            'failed' in end ? { user: messages[i]!.user, status: 'offline' as const } : end,
          );
        },
    ),

  'the list of who has to move is continuous': () => {
    let isRingChange = false;
    const undoRing = replace(
      Moves.prototype,
      'ringChanged',
      (original) =>
        function (this: Moves) {
          isRingChange = true;
          original.call(this);
          isRingChange = false;
        },
    );
    const undoJudge = replace(
      Moves.prototype,
      'judge',
      (original) =>
        function (this: Moves, held) {
          if (isRingChange) original.call(this, held);
        },
    );
    return () => {
      undoRing();
      undoJudge();
    };
  },

  'a client whose edge drains is closed behind what was accepted for it': () =>
    replace(
      EdgeSession.prototype,
      'leave',
      () =>
        function (this: EdgeSession, retryAfterMs) {
          this.close('drained', retryAfterMs);
        },
    ),

  'what a plain client had is not sent to it as it comes anew': () =>
    replace(Departed.prototype, 'of', () => nothing),

  'a node knows the ids of repeated messages': () => replace(Inbox.prototype, 'find', () => nothing),

  'a client knows the ids of its last messages': () => replace(KnownIds.prototype, 'add', () => () => true),

  'a sender has a lane for each user': () => replace(Lanes.prototype, 'of', () => nothing),

  'whoever knows nothing of a user remembers who asked': () =>
    replace(
      Holder.prototype,
      'claim',
      (original) =>
        async function (this: Holder, request) {
          const answer = await original.call(this, request);
          for (const user of request.users) {
            const known = this.users.known(user);
            if (known?.kind === 'released' && known.unacknowledged === undefined) this.users.delete(known);
          }
          return answer;
        },
    ),

  'a user that is taken back has a new stream': () => {
    let taken: UserState | undefined;
    const undoTake = replace(
      Handoffs.prototype,
      'takeBack',
      (original) =>
        function (this: Handoffs, released) {
          taken = released.unacknowledged?.state;
          const held = original.call(this, released);
          taken = undefined;
          return held;
        },
    );
    const undoStream = replace(
      HeldUser.prototype,
      'renewStream',
      (original) =>
        function (this: HeldUser, next, stream) {
          if (taken === undefined) original.call(this, next, stream);
          else original.call(this, taken.next - taken.kept.length, taken.stream);
        },
    );
    return () => {
      undoTake();
      undoStream();
    };
  },

  'the older link of an edge is closed': () => {
    let links = 0;
    return replace(
      NodeLink.prototype,
      'hello',
      (original) =>
        function (this: NodeLink, version, edge, incarnation) {
          links++;
          original.call(this, version, edge, `${incarnation}-${links}`);
        },
    );
  },

  'what waited in the sockets of a node that stood still is not taken': () =>
    replace(
      Holder.prototype,
      'beforeDelivery',
      (original) =>
        function (this: Holder) {
          original.call(this);
          return false;
        },
    ),

  'that a member holds nobody else’s users is asked anew for each ring': () => {
    const done = new WeakMap<Ownership, Set<string>>();
    const undoAsking = replace(
      Ownership.prototype,
      'asking',
      () =>
        function (this: Ownership, member) {
          const { fingerprint } = this.state.ring;
          const said = done.get(this) ?? new Set();
          done.set(this, said);
          return (answered, foreignUsers) => {
            if (answered === fingerprint && foreignUsers === 0) said.add(`${member} ${fingerprint}`);
          };
        },
    );
    const undoWhereabouts = replace(
      Ownership.prototype,
      'whereabouts',
      (original) =>
        function (this: Ownership, user) {
          const where = original.call(this, user);
          if (where.kind !== 'mine') return where;
          const { fingerprint } = this.state.ring;
          const before = where.before.filter(
            ({ id }) => done.get(this)?.has(`${id} ${fingerprint}`) !== true,
          );
          return { ...where, before };
        },
    );
    return () => {
      undoAsking();
      undoWhereabouts();
    };
  },
};
