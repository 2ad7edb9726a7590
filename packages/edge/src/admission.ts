import type { IncomingMessage } from 'node:http';
import { decodeUserId, PinwheelError, rawQueryValue } from '@pinwheel/protocol';
import { type Refusal, refusal, refusalOf } from './refusal.js';
import { splitTarget } from './request-path.js';

export type Admission = { readonly user: string } | { readonly refused: Refusal };

/** Decides who a client is. One for each way to authenticate. */
export type Admit = (request: IncomingMessage) => Admission;

/** `auth: 'none'`: the client is whoever its `?user=` says. */
export const admitAnybody: Admit = (request) => {
  const encoded = rawQueryValue(splitTarget(request.url ?? '').query, 'user');
  if (encoded === undefined)
    return { refused: refusal(400, 'bad-user', 'user is missing; it must be in the query: ?user=…') };
  try {
    return { user: decodeUserId(encoded) };
  } catch (thrown) {
    return { refused: refusalOf(PinwheelError.from(thrown, 'bad-user')) };
  }
};
