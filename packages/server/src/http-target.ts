import { Buffer } from 'node:buffer';

/** Where requests go: a URL without a password, and the headers that hold what may not be told. */
export interface HttpTarget {
  readonly url: URL;
  /** The URL for a log: without its query, in which many services have a secret. */
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Whether it was meant as a URL, and not as the path of a file. */
export function isHttpUrl(text: string): boolean {
  return /^https?:\/\//i.test(text);
}

/**
 * @param text a URL; a user and a password in it are sent as Basic authentication (RFC 7617), which `fetch` refuses to do
 *   and other clients forget.
 * @returns `undefined` for what is no `http:` or `https:` URL.
 */
export function httpTarget(text: string): HttpTarget | undefined {
  if (!isHttpUrl(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const { username, password } = url;
  const name = `${url.origin}${url.pathname}`;
  if (username === '' && password === '') return { url, name, headers: {} };
  url.username = '';
  url.password = '';
  const secret = Buffer.from(`${decoded(username)}:${decoded(password)}`).toString('base64');
  return { url, name, headers: { authorization: `Basic ${secret}` } };
}

/** A password with a `%` that was not written as `%25` is taken as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
