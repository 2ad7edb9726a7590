/** Whom a JWT names as its user, by its word alone: nobody has verified it. `undefined` for what is no JWT or names nobody. */
export function subjectOf(token: string): string | undefined {
  const [, claims = '', signature] = token.split('.');
  if (signature === undefined) return undefined;
  try {
    const { sub } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { readonly sub?: unknown };
    return typeof sub === 'string' ? sub : undefined;
  } catch {
    return undefined;
  }
}
