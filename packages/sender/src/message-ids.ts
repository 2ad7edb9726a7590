import { randomBytes } from 'node:crypto';

/** Makes ids that no other process makes: ten random characters and a count. */
export function messageIds(): () => string {
  const prefix = randomBytes(8).toString('base64url').slice(0, 10);
  let count = 0;
  return () => `${prefix}-${(count++).toString(36)}`;
}
