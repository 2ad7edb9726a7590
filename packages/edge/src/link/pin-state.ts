import type { Link } from './link.js';

/** What a session's pin is doing. Its data are those of the situation; nothing of an earlier one is left. */
export type PinState =
  /** Its `pinwheel.v1` client has yet to say hello. */
  | { readonly kind: 'greeting' }
  /** ATTACH was sent. */
  | {
      readonly kind: 'attaching';
      readonly link: Link;
      readonly number: number;
      /** What the ATTACH said: it is said again when the link breaks before the answer. */
      readonly handoff: string;
    }
  | { readonly kind: 'attached'; readonly link: Link; readonly number: number }
  /** For the link, and then for its turn. */
  | {
      readonly kind: 'waiting';
      readonly link: Link;
      readonly handoff: string;
      /** It was pinned to this link's member: it waits for that one while it is there, whatever the ring says. */
      readonly stays: boolean;
    }
  /** Nobody could take it just now. */
  | { readonly kind: 'retrying' }
  | { readonly kind: 'closed' };

export const greeting: PinState = Object.freeze({ kind: 'greeting' });
export const retrying: PinState = Object.freeze({ kind: 'retrying' });
export const closed: PinState = Object.freeze({ kind: 'closed' });
