import { isUtf8 } from 'node:buffer';
import { isMessageId, type Message, maxBatchMessages, maxMessageBytes } from './message.js';
import { PinwheelError } from './pinwheel-error.js';
import { parseUserId } from './user-id.js';

export const ndjsonContentType = 'application/x-ndjson';

/** A line of an NDJSON batch: a message, or what is wrong with it. */
export type NdjsonLine = Message | PinwheelError;

/** Room for the largest payload in base64, or as text in which half of the characters are escaped. */
const maxLineBytes = maxMessageBytes * 1.5;
/** A line of ours has at most ten texts; parsing an object of very many keys takes very long. */
const maxQuotes = 64;
/** A line of ours has one brace; what is nested deep takes very long, too, to be refused. */
const maxNested = 16;
const newline = 0x0a;
const backslash = 0x5c;
const openBracket = 0x5b;
const openBrace = 0x7b;
const fields = new Set(['user', 'data', 'base64', 'id', 'wait']);

/**
 * Reads a batch of `{"user","data"|"base64","id"?,"wait"?}` lines. A broken line becomes an error in its place and
 * the others count. Empty lines are passed over, but count.
 *
 * @param newId makes the id of a message that has none; one that brings its own may have been sent before.
 * @throws PinwheelError `too-large` for too many lines.
 */
export function parseNdjson(bytes: Buffer, newId: () => string): readonly NdjsonLine[] {
  const lines: NdjsonLine[] = [];
  let count = 0;
  for (let from = 0; from < bytes.length; ) {
    const found = bytes.indexOf(newline, from);
    const to = found === -1 ? bytes.length : found;
    const line = bytes.subarray(from, to);
    from = to + 1;
    if (++count > maxBatchMessages) {
      throw new PinwheelError('too-large', `the batch has more than ${maxBatchMessages} lines`);
    }
    if (line.length > maxLineBytes) {
      lines.push(
        new PinwheelError(
          'too-large',
          `the line has ${line.length} bytes; it must have at most ${maxLineBytes}`,
        ),
      );
      continue;
    }
    const text = line.toString('utf8').trim();
    if (text === '') continue;
    // decoding replaces what is not UTF-8, and a user or a payload would become another one
    lines.push(isUtf8(line) ? parseLine(text, newId) : notUtf8());
  }
  return lines;
}

/** Lines that are not empty, to be counted before they are parsed. */
export function countLines(bytes: Buffer): number {
  let count = 0;
  for (let from = 0; from < bytes.length; ) {
    const found = bytes.indexOf(newline, from);
    const to = found === -1 ? bytes.length : found;
    if (to > from) count++;
    from = to + 1;
  }
  return count;
}

function notUtf8(): PinwheelError {
  return new PinwheelError('bad-request', 'the line is not valid UTF-8');
}

function parseLine(text: string, newId: () => string): NdjsonLine {
  if (isOverloaded(text)) {
    return new PinwheelError('bad-request', `the line has too many fields; known: ${[...fields].join(', ')}`);
  }
  try {
    return messageOf(JSON.parse(text), newId);
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return new PinwheelError('bad-request', `not JSON: ${thrown.message}`);
    return PinwheelError.from(thrown, 'bad-request');
  }
}

/** Whether it has so many texts, or is nested so deep, that parsing it takes long. */
function isOverloaded(line: string): boolean {
  let quotes = 0;
  let nested = 0;
  let outside = 0;
  for (let at = line.indexOf('"'); at !== -1; at = line.indexOf('"', at + 1)) {
    let escapes = 0;
    while (line.charCodeAt(at - 1 - escapes) === backslash) escapes++;
    if (escapes % 2 === 1) continue;
    if (++quotes > maxQuotes) return true;
    if (quotes % 2 === 1) nested += nestingIn(line, outside, at);
    if (nested > maxNested) return true;
    outside = at + 1;
  }
  return nested + nestingIn(line, outside, line.length) > maxNested;
}

/** Opening brackets and braces between two places, counted until there are too many. */
function nestingIn(line: string, from: number, to: number): number {
  let count = 0;
  for (let at = from; at < to && count <= maxNested; at++) {
    const unit = line.charCodeAt(at);
    if (unit === openBracket || unit === openBrace) count++;
  }
  return count;
}

function messageOf(value: unknown, newId: () => string): Message {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new PinwheelError(
      'bad-request',
      'the line must be an object {"user","data"|"base64","id"?,"wait"?}',
    );
  }
  const unknown = Object.keys(value).find((key) => !fields.has(key));
  if (unknown !== undefined) {
    throw new PinwheelError(
      'bad-request',
      `unknown field ${shown(unknown)}; known: ${[...fields].join(', ')}`,
    );
  }
  const line = value as Record<string, unknown>;
  const { id = newId(), wait } = line;
  if (!isMessageId(id)) {
    throw new PinwheelError(
      'bad-request',
      `id is ${shown(id)}; it must be 1 to 64 printable ASCII characters`,
    );
  }
  if (wait !== undefined && wait !== 'client') {
    throw new PinwheelError('bad-request', `wait is ${shown(wait)}; it must be "client" or missing`);
  }
  return {
    user: parseUserId(line['user']),
    ...payloadOf(line),
    id,
    waitForClient: wait === 'client',
    repeated: line['id'] !== undefined,
  };
}

function payloadOf(line: Record<string, unknown>): { data: Uint8Array; binary: boolean } {
  const { data, base64 } = line;
  if ((data === undefined) === (base64 === undefined)) {
    throw new PinwheelError('bad-request', 'the line must have exactly one of data and base64');
  }
  const payload = data === undefined ? decodeBase64(base64) : encodeText(data);
  if (payload.length > maxMessageBytes) {
    throw new PinwheelError(
      'too-large',
      `the payload has ${payload.length} bytes; it must have at most ${maxMessageBytes}`,
    );
  }
  return { data: payload, binary: data === undefined };
}

function encodeText(data: unknown): Uint8Array {
  if (typeof data !== 'string') {
    throw new PinwheelError(
      'bad-request',
      `data is ${data === null ? 'null' : typeof data}; it must be a string`,
    );
  }
  // as bytes a lone surrogate would be another text
  if (!data.isWellFormed())
    throw new PinwheelError('bad-request', 'data has a lone surrogate; it must be valid UTF-8');
  return Buffer.from(data);
}

function decodeBase64(base64: unknown): Uint8Array {
  const valid =
    typeof base64 === 'string' && base64.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(base64);
  if (!valid) throw new PinwheelError('bad-request', 'base64 must be a string of base64 with its padding');
  return Buffer.from(base64, 'base64');
}

/** A value as an error quotes it: the caller's own megabytes are not sent back. */
function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 80));
  return value === null ? 'null' : typeof value;
}
