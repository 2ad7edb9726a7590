import { Buffer } from 'node:buffer';
import { maxReceiptBytes, maxStreamBytes } from '../field-bounds.js';
import { isErrorCode, PinwheelError } from '../pinwheel-error.js';
import { isReceiptStatus, type Receipt } from '../receipt.js';
import { parseUserId } from '../user-id.js';
import { readUtf8 } from '../utf8.js';

const maxShortened = 1000;

/**
 * What would not fit, because a node on the way said too much, loses all but the beginning of its error; a place in a
 * stream that could not be read is left out: no client is told of it.
 */
export function encodeReceipt(receipt: Receipt): Buffer {
  const { stream, seq } = receipt;
  const isReadable =
    (stream === undefined || isText(stream, maxStreamBytes)) && (seq === undefined || isNumber(seq));
  const { stream: _, seq: __, ...placeless } = receipt;
  const json = Buffer.from(JSON.stringify(isReadable ? receipt : placeless));
  if (json.length <= maxReceiptBytes) return json;
  const { user, status, error } = receipt;
  const { code = 'internal', message = 'the receipt is too long' } = error ?? {};
  const sessions = receipt.sessions === undefined ? {} : { sessions: receipt.sessions };
  const shortened: Receipt = {
    user,
    status,
    ...sessions,
    error: { code, message: message.slice(0, maxShortened) },
  };
  return Buffer.from(JSON.stringify(shortened));
}

/** @throws PinwheelError `protocol`. */
export function decodeReceipt(json: Uint8Array): Receipt {
  if (json.length > maxReceiptBytes) {
    throw broken(`has ${json.length} bytes; it must have at most ${maxReceiptBytes}`);
  }
  const bytes = Buffer.from(json.buffer, json.byteOffset, json.length);
  const text = readUtf8(bytes, 0, bytes.length);
  if (text === undefined) throw broken('is not valid UTF-8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw broken('is not JSON', cause);
  }
  if (typeof value !== 'object' || value === null) throw broken('is not an object');
  return receiptOf(value as Record<string, unknown>);
}

function receiptOf({
  user,
  status,
  sessions,
  stream,
  seq,
  owner,
  fingerprint,
  error,
}: Record<string, unknown>): Receipt {
  if (!isReceiptStatus(status)) throw broken('has an unknown status');
  return {
    user: userOf(user),
    status,
    ...(sessions === undefined ? {} : { sessions: numberOf('sessions', sessions) }),
    ...(stream === undefined ? {} : { stream: textOf('stream', stream, maxStreamBytes) }),
    ...(seq === undefined ? {} : { seq: numberOf('seq', seq) }),
    ...(owner === undefined ? {} : { owner: textOf('owner', owner, maxReceiptBytes) }),
    ...(fingerprint === undefined
      ? {}
      : { fingerprint: textOf('fingerprint', fingerprint, maxReceiptBytes) }),
    ...(error === undefined ? {} : { error: errorOf(error) }),
  };
}

function userOf(user: unknown): string {
  try {
    return parseUserId(user);
  } catch (cause) {
    throw broken('has a user that is none', cause);
  }
}

function numberOf(field: string, value: unknown): number {
  if (isNumber(value)) return value;
  throw broken(`has ${field} that is not a whole number`);
}

function textOf(field: string, value: unknown, most: number): string {
  if (isText(value, most)) return value;
  throw broken(`has ${field} that is not a text of at most ${most} characters`);
}

function isNumber(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isText(value: unknown, most: number): value is string {
  return typeof value === 'string' && value.length <= most;
}

/** A code that a newer node knows is `internal` here. */
function errorOf(value: unknown): NonNullable<Receipt['error']> {
  const { code, message } = (value ?? {}) as Record<string, unknown>;
  if (typeof code !== 'string' || typeof message !== 'string') {
    throw broken('has an error that is not {"code","message"}');
  }
  return { code: isErrorCode(code) ? code : 'internal', message };
}

function broken(what: string, cause?: unknown): PinwheelError {
  return new PinwheelError('protocol', `RECEIPT: the receipt ${what}`, { cause });
}
