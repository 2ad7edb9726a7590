import { LinkSession } from './link-session.js';
import type { Session } from './session.js';

/** Sessions of one user that are away. Many more than anybody has, and few enough to be looked through for each that goes. */
const maxAway = 1000;

/** The one that would be given up first, when more are away than are awaited. */
export function oneTooManyAway(sessions: readonly Session[]): LinkSession | undefined {
  if (sessions.length <= maxAway) return undefined;
  let away = 0;
  let first: LinkSession | undefined;
  for (const session of sessions) {
    // one that its edge has been told to bring is as good as attached
    if (!(session instanceof LinkSession) || session.link !== undefined || session.isComing) continue;
    away++;
    if (first === undefined || session.awayUntil < first.awayUntil) first = session;
  }
  return away > maxAway ? first : undefined;
}
