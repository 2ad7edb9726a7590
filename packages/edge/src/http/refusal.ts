import { type ErrorCode, PinwheelError } from '@pinwheel/protocol';

/** Why a client gets no tunnel, as an HTTP answer. */
export interface Refusal {
  readonly status: number;
  readonly code: ErrorCode;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export function refusal(status: number, code: ErrorCode, message: string): Refusal {
  return { status, code, message };
}

export function refusalOf(thrown: unknown): Refusal {
  const error = PinwheelError.from(thrown);
  return refusal(error.httpStatus, error.code, error.message);
}

/** A bound was reached: to be tried again in a second. */
export function limited(error: PinwheelError): Refusal {
  return { ...refusalOf(error), headers: { 'retry-after': '1' } };
}

/** 503, to be tried again in a second. */
export function notNow(code: 'unavailable' | 'overloaded', message: string): Refusal {
  return { ...refusal(503, code, message), headers: { 'retry-after': '1' } };
}

/** Without the member's name or address: clients are strangers. */
export const nobodyListens: Refusal = notNow('unavailable', 'nobody listens where the user belongs');

/** For a plain request to an edge that takes WebSockets only. @param isServed whether it takes them at this path. */
export function webSocketsOnly(isServed: boolean): Refusal {
  if (!isServed) return refusal(404, 'not-found', 'this edge takes WebSockets only');
  const wanted = refusal(426, 'bad-request', 'this path takes WebSockets only');
  return { ...wanted, headers: { upgrade: 'websocket' } };
}
