import type { EventEmitter } from 'node:events';
import type { TokenLives } from './token-lives.js';

/**
 * Ends what a client has when its token ends: through a tunnel edge nobody can be asked for a new one.
 *
 * @param client is over at its `close`.
 * @param expiresAt ms since 1970.
 */
export function endWithToken(
  lives: TokenLives,
  client: EventEmitter,
  expiresAt: number,
  tokenEnded: () => void,
): void {
  const bearer = { tokenEnded };
  lives.set(bearer, expiresAt, Date.now());
  client.once('close', () => lives.delete(bearer));
}
