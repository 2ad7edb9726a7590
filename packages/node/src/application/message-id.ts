import { hash } from 'node:crypto';

/**
 * The id of a client's message: the same however often it comes, at whichever node. The session is in it as 43 characters: a
 * number of ten digits has room behind it. Receivers see it: who has the key itself could take the session over, or say in
 * its name what it is about to say.
 */
export function messageIdOf(user: string, key: string, number: number): string {
  return `${hash('sha256', `${user}\0${key}`, 'base64url')}-${number}`;
}
