import { Departed, EdgeSession, Link, NodeLink } from '../mechanisms.js';
import { nothing, type Protections, replace } from './protection.js';

/** Of sessions, and of the links that they are pinned to. */
export const ofSessions: Protections = {
  'frames count only from the link and number that a session is pinned to': {
    breaks: ['I3', 'I4', 'I6'],
    takeAway: () => replace(Link.prototype, 'unpin', () => nothing),
  },

  'an attach is never passed on': {
    breaks: ['I4'],
    takeAway: () =>
      replace(
        NodeLink.prototype,
        'repin',
        (original) =>
          function (this: NodeLink, session, to, handoff) {
            // another node gives the answer, by a link that the session is not pinned to
            if (!this.isWaiting(session)) original.call(this, session, to, handoff);
          },
      ),
  },

  'an edge keeps a session that has ended until its node has heard of it': {
    breaks: ['I4', 'I6', 'I8'],
    takeAway: () =>
      replace(
        EdgeSession.prototype,
        'gone',
        (original) =>
          function (this: EdgeSession, code, reason) {
            original.call(this, code, reason);
            this.cut();
          },
      ),
  },

  'the older link of an edge is closed': {
    breaks: ['I3', 'I4', 'I5'],
    takeAway: () => {
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
  },

  'a client whose edge drains is closed behind what was accepted for it': {
    breaks: ['I3'],
    takeAway: () =>
      replace(
        EdgeSession.prototype,
        'leave',
        () =>
          function (this: EdgeSession, retryAfterMs) {
            this.close('drained', retryAfterMs);
          },
      ),
  },

  'what a plain client had is not sent to it as it comes anew': {
    breaks: ['I3'],
    shows: 'by name',
    takeAway: () => replace(Departed.prototype, 'of', () => nothing),
  },
};
