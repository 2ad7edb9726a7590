import type { Socket } from 'node:net';
import { closeCodes } from '@pinwheel/protocol';
import type { Tunnel } from '../tunnel.js';
import type { TokenLives } from './token-lives.js';

/** Closes a tunnel when its client's token ends: through a tunnel nobody can be asked for a new one. */
export function endWithToken(lives: TokenLives, tunnel: Tunnel, client: Socket, expiresAt: number): void {
  const { code, reason } = closeCodes.tokenExpired;
  const bearer = { tokenEnded: () => tunnel.close(code, reason, 'token-expired') };
  lives.set(bearer, expiresAt, Date.now());
  client.once('close', () => lives.delete(bearer));
}
