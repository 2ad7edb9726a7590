import type { Member, RingTracker } from '@pinwheel/membership';
import { notNow, type Refusal } from '../http/refusal.js';
import type { BackendFaults } from './backend-faults.js';

/** Where a user's connection goes. */
export interface Target {
  readonly member: Member;
  readonly port: number;
  /** Of the ring by which the member was chosen. */
  readonly fingerprint: string;
}

export type Route = { readonly target: Target } | { readonly refused: Refusal };

/** Finds the member behind a user by the ring of the moment. */
export interface Router {
  route(user: string): Route;
  /** The member of that id, if there is one that takes connections. */
  member(id: string): Target | undefined;
  /** Has the source of members read now; calls meanwhile share one reading. Resolves after `waitMs` at the latest. */
  refresh(waitMs: number): Promise<void>;
}

export function createRouter(tracker: RingTracker, faults: BackendFaults): Router {
  let reading: Promise<void> | undefined;

  const member = (id: string): Target | undefined => {
    const { ring, members } = tracker.current;
    const found = members.get(id);
    const port = found === undefined ? undefined : portOf(found);
    if (found === undefined || port === undefined) return undefined;
    return { member: found, port, fingerprint: ring.fingerprint };
  };

  return {
    route(user) {
      const owner = tracker.current.ring.owner(user);
      if (owner === undefined) return { refused: notNow('unavailable', 'the ring has no members') };
      const target = member(owner);
      if (target === undefined) {
        const found = tracker.current.members.get(owner);
        if (found !== undefined) faults.note(found, 'a member takes no connections from clients');
        return { refused: notNow('unavailable', 'where the user belongs no connections are taken') };
      }
      return { target };
    },
    member,
    async refresh(waitMs) {
      reading ??= tracker
        .refresh()
        .catch(() => {})
        .finally(() => {
          reading = undefined;
        });
      const { promise, cancel } = after(waitMs);
      await Promise.race([reading, promise]);
      cancel();
    },
  };
}

/** A node's internal port is never a target: its API is not for clients. */
function portOf(member: Member): number | undefined {
  return member.kind === 'foreign' ? member.port : member.wsPort;
}

function after(ms: number): { readonly promise: Promise<void>; readonly cancel: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const promise = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  return { promise, cancel: () => clearTimeout(timer) };
}
