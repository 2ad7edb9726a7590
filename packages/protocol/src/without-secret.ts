/** A URL, or what was to be one, as an error and a log may have it: a secret may stand before the `@`. */
export function withoutSecret(url: string): string {
  return url.replace(/^.*@/s, '…@');
}
