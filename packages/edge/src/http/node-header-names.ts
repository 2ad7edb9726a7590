import type { IncomingMessage } from 'node:http';
import type { Member } from '@pinwheel/membership';
import { type Refusal, refusal } from './refusal.js';
import { isReserved } from './reserved-headers.js';
import { connectionTokens } from './upgrade-request.js';

/** What uWebSockets.js takes for the name of a header. Of any other it waits for the rest, and answers nothing. */
const readByNodes = /^[a-z0-9-]+$/;

/**
 * Why a request cannot go to this member because of the name of a header; `undefined` when it can. Foreign backends read
 * every name that node:http reads. A header that is never passed on stands in nobody's way.
 */
export function checkNamesFor(member: Member, { headers }: IncomingMessage): Refusal | undefined {
  if (member.kind !== 'node') return undefined;
  const dropped = connectionTokens(headers);
  const odd = Object.keys(headers).find(
    (name) => !readByNodes.test(name) && !isReserved(name) && !dropped.includes(name),
  );
  if (odd === undefined) return undefined;
  const shown = JSON.stringify(odd.slice(0, 80));
  return refusal(
    400,
    'bad-request',
    `there is a header ${shown}; names of headers must be letters, digits and hyphens`,
  );
}
