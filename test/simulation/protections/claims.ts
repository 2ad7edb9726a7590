import type { ClaimAnswer } from '@pinwheel/holder';
import { Claims, Forwarder, Holder, Ownership } from '../mechanisms.js';
import { type Protections, replace } from './protection.js';

/** Has every holder answer claims otherwise, by what it has answered of each user. */
function answering(change: (holder: Holder, one: ClaimAnswer, user: string) => ClaimAnswer): () => void {
  return replace(
    Holder.prototype,
    'claim',
    (original) =>
      async function (this: Holder, request) {
        const answer = await original.call(this, request);
        return { ...answer, answers: answer.answers.map((one, i) => change(this, one, request.users[i]!)) };
      },
  );
}

/** Of how a user is looked for. */
export const ofClaims: Protections = {
  'a claim follows a tombstone': {
    breaks: ['I1'],
    shows: 'waves',
    takeAway: () => answering((_, one) => (one.kind === 'moved' ? { kind: 'none' } : one)),
  },

  'whoever knows nothing of a user remembers who asked': {
    breaks: ['I1'],
    shows: 'by name',
    takeAway: () =>
      answering(({ users }, one, user) => {
        const known = users.known(user);
        if (known?.kind === 'released' && known.unacknowledged === undefined) users.delete(known);
        return one;
      }),
  },

  'a copy names the holder that it came from': {
    breaks: ['I1'],
    shows: 'by name',
    takeAway: () =>
      answering(({ users }, one, user) => (users.known(user)?.kind === 'prepared' ? { kind: 'none' } : one)),
  },

  'those who name each other in a circle have nobody': {
    breaks: ['I1'],
    shows: 'by name',
    takeAway: () => answering((_, one) => (one.kind === 'moved' ? { kind: one.kind, to: one.to } : one)),
  },

  'a claim that fails says nothing of a user': {
    breaks: ['I1'],
    takeAway: () =>
      replace(
        Claims.prototype,
        'claim',
        (original) =>
          async function (this: Claims, user, members) {
            const outcome = await original.call(this, user, members);
            return outcome.kind === 'unknown' ? { kind: 'nobody' } : outcome;
          },
      ),
  },

  'a question that fails says nothing of a user': {
    breaks: ['I3'],
    takeAway: () =>
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
  },

  'users of a member that has just died are awaited': {
    breaks: ['I3'],
    shows: 'by name',
    takeAway: () => replace(Ownership.prototype, 'isAwaited', () => () => false),
  },

  'that a member holds nobody else’s users is asked anew for each ring': {
    breaks: ['I3'],
    takeAway: () => {
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
  },
};
