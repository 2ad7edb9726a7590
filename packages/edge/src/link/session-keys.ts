const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-';
const prefixLength = 16;

/** Makes the keys of plain clients' sessions: no two alike, in this process or in another. */
export function sessionKeys(random: () => number): () => string {
  let prefix = '';
  while (prefix.length < prefixLength) prefix += alphabet[Math.floor(random() * alphabet.length)];
  let count = 0;
  return () => `${prefix}${(count++).toString(36)}`;
}
