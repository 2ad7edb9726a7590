import type { Receipt } from '@pinwheel/protocol';
import type { AckQuestion } from './ack-client.js';

/** Where a message stands that was taken; `undefined` when no session of its user can acknowledge it. */
export function questionOf({ user, stream, seq }: Receipt): AckQuestion | undefined {
  return stream === undefined || seq === undefined ? undefined : { user, stream, seq };
}

/** Whether asking again would change nothing. */
export function isFinal({ status, error }: Receipt): boolean {
  return error === undefined ? status === 'delivered' : error.code === 'unknown-outcome';
}

/** Whether nothing but time was lacking. */
export function isTimeOver({ status, error }: Receipt): boolean {
  return status === 'queued' || error?.code === 'deadline';
}

/** How much of the time that is left a question may take, in ms: its answer has a way to go. */
export function timelyMs(leftMs: number): number {
  return leftMs - Math.min(100, leftMs / 4);
}

/** It was taken, and nobody is there who could acknowledge it. */
export function nobodyAcknowledges(
  place: Pick<Receipt, 'user' | 'stream' | 'seq'>,
  why = 'no session of the user will acknowledge it; clients of pinwheel.v1 do',
): Receipt {
  const { user, ...position } = place;
  const error = { code: 'unknown-outcome', message: `the message was taken, and ${why}` } as const;
  return { user, status: 'overloaded', ...position, error };
}

/** It was taken, and the time is over. */
export function unacknowledged({ user, stream, seq }: AckQuestion, why = ''): Receipt {
  const text = 'the message was taken, and nobody has acknowledged it in time';
  const message = why === '' ? text : `${text}: ${why}`;
  return { user, status: 'overloaded', stream, seq, error: { code: 'deadline', message } };
}
