/** Every way in which Pinwheel says no, with the HTTP status that the API answers it with. */
export const errorCodes = {
  /** What was asked for cannot be read: bad JSON, a missing field, an unknown parameter. */
  'bad-request': 400,
  /** A user id that is empty, too long or not valid UTF-8. */
  'bad-user': 400,
  /** A setting or option with a value outside its bounds. */
  'bad-option': 400,
  /** A frame or a control message that breaks the protocol of a link or of `pinwheel.v1`. */
  protocol: 400,
  /** Nobody knows who asks: a token or a proof is missing, wrong or over. */
  'not-authenticated': 401,
  /** The sender may not do this. */
  'not-allowed': 403,
  'not-found': 404,
  'method-not-allowed': 405,
  'too-large': 413,
  'not-owner': 421,
  /** Target and headers of a request are more than is read. */
  'head-too-large': 431,
  /** The caller is at a bound of its own; others are not concerned. Try again later. */
  'limit-reached': 429,
  /** A bound was reached; try again later. */
  overloaded: 503,
  /** The process is starting, draining or has no ring yet. */
  unavailable: 503,
  /** The time given had passed before an answer came. */
  deadline: 504,
  /** Nobody listens there; nothing was sent. */
  unreachable: 502,
  /** The connection broke after something was sent: it may or may not have taken effect. */
  'unknown-outcome': 502,
  /** This process and a member would place users differently. */
  'settings-mismatch': 409,
  /** The source of members cannot be read or cannot be written to. */
  membership: 502,
  /** A port or an address that cannot be listened on. */
  listen: 500,
  /** The application's own code or webhook failed. */
  application: 500,
  /** The object was closed before the call. */
  closed: 503,
  internal: 500,
} as const;

export type ErrorCode = keyof typeof errorCodes;

/** The one error class. The message names the thing, the value and the bound, and what to do where it can. */
export class PinwheelError extends Error {
  readonly code: ErrorCode;
  /** When trying again may do, in ms; `undefined` where that is not known. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options?: { readonly cause?: unknown; readonly retryAfterMs?: number },
  ) {
    super(message, options);
    this.name = 'PinwheelError';
    this.code = code;
    this.retryAfterMs = options?.retryAfterMs;
  }

  get httpStatus(): number {
    return errorCodes[this.code];
  }

  /** The form in which an error travels: `{"error":{"code","message"}}`. */
  toJSON(): { readonly error: ErrorDetail } {
    return { error: { code: this.code, message: this.message } };
  }

  /** Any thrown value as a PinwheelError; one that is already is returned as it is. */
  static from(thrown: unknown, code: ErrorCode = 'internal'): PinwheelError {
    if (thrown instanceof PinwheelError) return thrown;
    return new PinwheelError(code, textOf(thrown), { cause: thrown });
  }
}

function textOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? thrown.message : String(thrown);
  } catch {
    // not everything has a string form: an object without a prototype has none
    return `a thrown ${typeof thrown} without a text`;
  }
}

export interface ErrorDetail {
  readonly code: ErrorCode;
  readonly message: string;
}

export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(errorCodes, code);
}
