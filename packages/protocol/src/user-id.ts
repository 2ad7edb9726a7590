import { maxUserBytes } from './message.js';
import { PinwheelError } from './pinwheel-error.js';

/**
 * A user id is an opaque string of 1–256 bytes in UTF-8, compared byte for byte; `__proto__` is one.
 *
 * @throws PinwheelError `bad-user` that names what is wrong.
 */
export function parseUserId(value: unknown): string {
  if (typeof value !== 'string') {
    throw new PinwheelError(
      'bad-user',
      `user is ${value === null ? 'null' : typeof value}; it must be a string`,
    );
  }
  if (value === '') throw new PinwheelError('bad-user', 'user is empty; it must have 1 to 256 bytes');
  // a UTF-16 unit takes at most three bytes: most ids need no counting
  if (value.length * 3 > maxUserBytes && Buffer.byteLength(value) > maxUserBytes) {
    throw new PinwheelError(
      'bad-user',
      `user has ${Buffer.byteLength(value)} bytes; it must have 1 to ${maxUserBytes}`,
    );
  }
  if (!value.isWellFormed()) {
    throw new PinwheelError('bad-user', 'user has a lone surrogate; it must be valid UTF-8');
  }
  return value;
}

/**
 * Reads a user id out of a URL: percent-decoded strictly, so that bytes that are not UTF-8 are refused rather
 * than replaced.
 *
 * @throws PinwheelError `bad-user`.
 */
export function decodeUserId(encoded: string): string {
  // raw bytes that are not ASCII have been replaced or misread by the time they are a string
  if (!printableAscii.test(encoded)) throw notPercentEncoded(encoded);
  let decoded: string;
  try {
    decoded = decodeURIComponent(encoded);
  } catch (cause) {
    throw notPercentEncoded(encoded, cause);
  }
  return parseUserId(decoded);
}

const printableAscii = /^[\x21-\x7e]*$/;

function notPercentEncoded(encoded: string, cause?: unknown): PinwheelError {
  return new PinwheelError(
    'bad-user',
    `user ${JSON.stringify(encoded.slice(0, 80))} is not percent-encoded UTF-8`,
    { cause },
  );
}

/**
 * The value of one parameter in a raw query string (without `?`), still encoded except that `+` became `%20`;
 * `undefined` when it is missing. The first one counts.
 */
export function rawQueryValue(query: string, name: string): string | undefined {
  for (const pair of query.split('&')) {
    const equals = pair.indexOf('=');
    if (equals === name.length && pair.startsWith(name)) return pair.slice(equals + 1).replaceAll('+', '%20');
  }
  return undefined;
}

/**
 * One parameter of a raw query string, decoded.
 *
 * @throws PinwheelError `bad-request` when it is not percent-encoded UTF-8.
 */
export function queryText(query: string, name: string): string | undefined {
  const raw = rawQueryValue(query, name);
  if (raw === undefined) return undefined;
  try {
    return decodeURIComponent(raw);
  } catch (cause) {
    throw new PinwheelError('bad-request', `parameter ${name} is not percent-encoded UTF-8`, { cause });
  }
}
