import type { TokenLives } from './token-lives.js';

const pollMs = 250;

/**
 * Does what is due of tokens, at the time.
 *
 * @param guard makes each call; what it throws is the guard's.
 * @returns the call that ends it.
 */
export function followTokens(lives: TokenLives, guard = (call: () => void): void => call()): () => void {
  let goesOn = false;
  const look = (): void => {
    goesOn = false;
    guard(() => {
      goesOn = lives.tick(Date.now());
    });
    if (goesOn) setImmediate(look);
  };
  const timer = setInterval(() => {
    if (!goesOn) look();
  }, pollMs).unref();
  return () => clearInterval(timer);
}
