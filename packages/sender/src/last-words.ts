import type { ErrorCode, Receipt } from '@pinwheel/protocol';
import type { Pending } from './pending.js';

/** It may have been delivered: it is tried again, with the same id, because a duplicate is better than a loss. */
export const inDoubt: ReadonlySet<ErrorCode> = new Set(['unknown-outcome', 'deadline']);

/** Once a message may have been delivered, nothing but its delivery makes that unsaid. */
export function doubtOf({ lastWord }: Pending): Receipt | undefined {
  return lastWord?.error !== undefined && inDoubt.has(lastWord.error.code) ? lastWord : undefined;
}

export function isDelivered({ status }: Receipt): boolean {
  return status === 'delivered' || status === 'queued' || status === 'published';
}

export function unanswered(message: Pending): Receipt {
  return overloaded(message, 'deadline', 'no node answered in time; the message may have been delivered');
}

export function unsent(message: Pending): Receipt {
  return overloaded(message, 'deadline', 'the time for this message had passed before it was sent');
}

export function overloaded({ user }: { readonly user: string }, code: ErrorCode, why: string): Receipt {
  return { user, status: 'overloaded', error: { code, message: why } };
}

/** Nobody took the message: it is tried again. */
export const notTaken: ReadonlySet<ErrorCode> = new Set([
  'unreachable',
  'unavailable',
  // while keys change one process may know a key sooner than another
  'not-authenticated',
]);

/** Whether a message that ended with this code may yet be delivered by another try. */
export function isTriedAgain(code: ErrorCode | undefined): boolean {
  return code !== undefined && (inDoubt.has(code) || notTaken.has(code));
}
