import type { ErrorCode, Receipt } from '@pinwheel/protocol';

const texts: { readonly [Code in ErrorCode]?: string } = {
  'bad-user': 'no user can have this id',
  'too-large': 'the message is too large',
  overloaded: 'there is no room at the moment; try again later',
  unavailable: 'the service is not ready; try again later',
  deadline: 'the time was over before an answer came',
  unreachable: 'the user cannot be reached at the moment; try again later',
  'unknown-outcome': 'it may have been delivered, and it may not',
};

/** What a client hears of an error that is not the application's: nothing of how the service is built. */
export function clientTextOf(code: ErrorCode): string {
  return texts[code] ?? 'the message could not be delivered';
}

/** A receipt as PROTOCOL.md, section 4, has it for clients. */
export function clientReceipt({ user, status, sessions, error }: Receipt): Receipt {
  return {
    user,
    status,
    ...(sessions === undefined ? {} : { sessions }),
    ...(error === undefined ? {} : { error: { code: error.code, message: clientTextOf(error.code) } }),
  };
}

/** The receipt of a message that may have been delivered before: that it is refused now says nothing of then. */
export function ifRepeated(receipt: Receipt): Receipt {
  const { user, status } = receipt;
  if (status === 'delivered' || status === 'queued' || status === 'published') return receipt;
  return overloaded(user, 'unknown-outcome', 'it may have been delivered before, and its receipt lost');
}

export function overloaded(user: string, code: ErrorCode, message: string): Receipt {
  return { user, status: 'overloaded', error: { code, message } };
}
