import type { HttpRequest } from '@pinwheel/server';

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

/** Why nobody can be sure where the body ends; `undefined` when everybody can (RFC 9112, section 6.3). */
export function unsureOfBody({ lengths, codings }: HeadLines): string | undefined {
  if (lengths.length > 1) return `content-length is there ${lengths.length} times; it must be there once`;
  if (codings.length === 0) return undefined;
  if (lengths.length > 0)
    return 'transfer-encoding and content-length are both there; it must be one of them';
  const coding = codings.join(', ');
  if (coding === 'chunked') return undefined;
  return `transfer-encoding is ${JSON.stringify(coding.slice(0, 80))}; it must be chunked`;
}
