import { hash } from 'node:crypto';

/**
 * A session of a user in the ids of its messages, in 43 characters: a number of ten digits has room behind it. The receivers
 * see it: who has the key itself could take the session over, or say in its name what it is about to say.
 */
export function sessionName(user: string, key: string): string {
  return hash('sha256', `${user}\0${key}`, 'base64url');
}
