import type { UserState } from '@pinwheel/holder';
import { Copies, Handoffs, HeldUser, Moves } from '../mechanisms.js';
import { type Protections, replace } from './protection.js';

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
