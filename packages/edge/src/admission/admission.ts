import { decodeUserId, PinwheelError, rawQueryValue } from '@pinwheel/protocol';
import { type Refusal, refusal, refusalOf } from '../http/refusal.js';
import type { AdmissionRequest } from './admission-request.js';

/** Who a client is, or why it is nobody. */
export type Admission =
  | {
      readonly user: string;
      /** When its connection ends, in ms since 1970; missing when nothing ends it. */
      readonly expiresAt?: number;
    }
  | { readonly refused: Refusal; readonly outcome: AdmissionOutcome };

/** What a refusal counts as. */
export type AdmissionOutcome = 'bad-user' | 'bad-token' | 'bad-origin' | 'unavailable' | 'overloaded';

/** Decides who clients are. One for each way to authenticate. */
export interface Admissions {
  /** A promise where something has to be computed or asked; it never rejects, and it has a deadline. */
  admit(request: AdmissionRequest): Admission | Promise<Admission>;
  /** What a token says that a client sends later on its connection; missing where there are no tokens. Never rejects. */
  readonly renew?: (token: string) => Promise<Admission>;
  /** Why nobody can be admitted until something is there that was not yet; `undefined` when all is. */
  readonly lacks?: () => string | undefined;
  /** Ends its timers and what it is asking. May be called twice. */
  close(): void;
}

/** `auth: 'none'`: the client is whoever its `?user=` says. */
export const admitAnybody: Admissions = {
  admit: ({ query }) => {
    const encoded = rawQueryValue(query, 'user');
    if (encoded === undefined) {
      const missing = 'user is missing; it must be in the query: ?user=…';
      return { refused: refusal(400, 'bad-user', missing), outcome: 'bad-user' };
    }
    try {
      return { user: decodeUserId(encoded) };
    } catch (thrown) {
      return { refused: refusalOf(PinwheelError.from(thrown, 'bad-user')), outcome: 'bad-user' };
    }
  },
  close: () => {},
};
