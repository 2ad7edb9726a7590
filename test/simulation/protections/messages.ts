import { Holder, Inbox, KnownIds, Lanes } from '../mechanisms.js';
import { nothing, type Protections, replace } from './protection.js';

/** Of messages: that they come once, and in order. */
export const ofMessages: Protections = {
  'a node knows the ids of repeated messages': {
    breaks: ['I3'],
    takeAway: () => replace(Inbox.prototype, 'find', () => nothing),
  },

  'a client knows the ids of its last messages': {
    breaks: ['I3'],
    takeAway: () => replace(KnownIds.prototype, 'add', () => () => true),
  },

  'a sender has a lane for each user': {
    breaks: ['I2'],
    takeAway: () => replace(Lanes.prototype, 'of', () => nothing),
  },

  'what waited in the sockets of a node that stood still is not taken': {
    breaks: ['I3'],
    shows: 'by name',
    takeAway: () =>
      replace(
        Holder.prototype,
        'beforeDelivery',
        (original) =>
          function (this: Holder) {
            original.call(this);
            return false;
          },
      ),
  },
};
