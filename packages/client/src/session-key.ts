const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-';
/** 144 bits: whoever guessed a session's key, and is let in as its user, could take the session over. */
const keyLength = 24;

/** A random name for a session. */
export function newSessionKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(keyLength));
  // 64 letters: the low six bits of a random byte are as random as all of it
  return Array.from(bytes, (byte) => alphabet[byte & 63]).join('');
}
