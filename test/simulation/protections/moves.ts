import { LinkSession, type UserState } from '@pinwheel/holder';
import { Copies, Handoffs, HeldUser, Holder, Moves } from '../mechanisms.js';
import { nothing, type Protections, replace } from './protection.js';

/** Of how users are handed over. */
export const ofMoves: Protections = {
  'a handoff has two phases': {
    breaks: ['I1'],
    takeAway: () =>
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
  },

  'the list of who has to move is continuous': {
    breaks: ['I4'],
    takeAway: () => {
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
  },

  'the sessions of a user who is handed over are expected': {
    breaks: ['I3', 'I4', 'I8'],
    takeAway: () =>
      replace(
        Copies.prototype,
        'prepare',
        (original) =>
          function (this: Copies, request) {
            const users = request.users.map((one) => ({ ...one, state: { ...one.state, sessions: [] } }));
            return original.call(this, { ...request, users });
          },
      ),
  },

  'what two holders have kept is replayed as they become one': {
    breaks: ['I3'],
    takeAway: () =>
      replace(
        Holder.prototype,
        'prepare',
        (original) =>
          function (this: Holder, request) {
            const users = request.users.map((one) => {
              const { next, kept } = one.state;
              const empty = { ...one.state, next: next - kept.length, kept: [] };
              return this.users.get(one.user) === undefined ? one : { ...one, state: empty };
            });
            return original.call(this, { ...request, users });
          },
      ),
  },

  'a holder takes a user back whose next holder is gone': {
    breaks: ['I3', 'I4', 'I6'],
    takeAway: () => replace(Handoffs.prototype, 'takeBack', () => nothing),
  },

  'a change of the ring is nothing to whoever stays': {
    breaks: ['I5'],
    takeAway: () =>
      replace(
        Holder.prototype,
        'ringChanged',
        (original) =>
          function (this: Holder, state) {
            original.call(this, state);
            for (const held of this.users.users())
              for (const session of held.sessions) if (session instanceof LinkSession) held.lost(session);
          },
      ),
  },

  'users move at the pace that is set': {
    breaks: ['I4'],
    shows: 'calm',
    takeAway: () => {
      const slowed = new WeakSet<Moves>();
      return replace(
        Moves.prototype,
        'ringChanged',
        (original) =>
          function (this: Moves) {
            if (!slowed.has(this)) this.change({ usersPerSecond: this.status.usersPerSecond * 0.7 });
            slowed.add(this);
            original.call(this);
          },
      );
    },
  },

  'a user that is taken back has a new stream': {
    breaks: ['I1'],
    takeAway: () => {
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
  },
};
