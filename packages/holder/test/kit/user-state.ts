import type { KeptState, SessionState, UserState } from '../../src/users/user-state.js';

/** What another holder knows of a user; nothing, if nothing else is said. */
export function userState(fields: Partial<UserState> = {}): UserState {
  return {
    stream: 'old',
    next: 1,
    kept: [],
    seen: [],
    sessions: [],
    absorbed: [],
    isPartial: false,
    contested: [],
    ...fields,
  };
}

/** A session that was attached there and had nothing yet. */
export function sessionState(key: string, fields: Partial<SessionState> = {}): SessionState {
  return {
    key,
    edge: 'e1',
    since: 0,
    acknowledges: true,
    epoch: 1,
    acked: 0,
    begins: 0,
    gapAt: null,
    taken: 0,
    announced: true,
    covers: [],
    former: [],
    isComing: true,
    ...fields,
  };
}

export function keptState(seq: number, text: string): KeptState {
  return {
    seq,
    id: `id-old-${seq}`,
    binary: false,
    base64: Buffer.from(text).toString('base64'),
    origins: [],
  };
}
