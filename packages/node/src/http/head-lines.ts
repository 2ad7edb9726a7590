import { PinwheelError } from '@pinwheel/protocol';
import type { HttpRequest } from '@pinwheel/server';
import { wholeNumber } from './whole-number.js';

/** What uWebSockets.js does not say of a head when it is asked for one header. */
export interface HeadLines {
  /** Names of headers whose value is nothing, or begins with what is not ASCII: asked for, they seem to be missing. */
  readonly empty: readonly string[];
  /** Values of `content-length` and `transfer-encoding`: it goes by the first one, and others may go by the last. */
  readonly lengths: readonly string[];
  readonly codings: readonly string[];
}

/** To be called before the handler first returns. */
export function readHeadLines(request: HttpRequest): HeadLines {
  const lines = { empty: [] as string[], lengths: [] as string[], codings: [] as string[] };
  request.forEach((name, value) => {
    if (value === '') lines.empty.push(name);
    if (name === 'content-length') lines.lengths.push(value);
    else if (name === 'transfer-encoding') lines.codings.push(value.toLowerCase());
  });
  return lines;
}

/**
 * Bytes of the body; `undefined` when it comes in chunks.
 *
 * @throws PinwheelError `bad-request` when nobody can be sure where the body ends (RFC 9112, section 6.3).
 */
export function bodyLength({ lengths, codings }: HeadLines): number | undefined {
  const [said = ''] = lengths;
  const announced = said === '' ? undefined : wholeNumber(said);
  if (Number.isNaN(announced))
    throw unsure(`content-length is ${JSON.stringify(said.slice(0, 80))}; it must be a whole number`);
  if (lengths.length > 1)
    throw unsure(`content-length is there ${lengths.length} times; it must be there once`);
  if (codings.length === 0) return announced ?? 0;
  if (lengths.length > 0)
    throw unsure('transfer-encoding and content-length are both there; it must be one of them');
  const coding = codings.join(', ');
  if (coding === 'chunked') return undefined;
  throw unsure(`transfer-encoding is ${JSON.stringify(coding.slice(0, 80))}; it must be chunked`);
}

function unsure(why: string): PinwheelError {
  return new PinwheelError('bad-request', why);
}
