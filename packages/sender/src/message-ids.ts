import { randomBytes } from 'node:crypto';

/** Makes ids that no other process makes: ten random characters and a count. */
export function messageIds(): () => string {
  const idOf = numberedIds();
  let count = 0;
  return () => idOf(count++);
}

/** The same for who counts itself: equal numbers have equal ids. */
export function numberedIds(): (number: number) => string {
  const prefix = randomBytes(8).toString('base64url').slice(0, 10);
  return (number) => `${prefix}-${number}`;
}
