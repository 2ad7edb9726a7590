import type { RingSettings } from '@pinwheel/ring';
import type { RingState } from './ring-state.js';

export interface RingAnswer {
  readonly fingerprint: string;
  readonly index: string;
  readonly settings: RingSettings;
  readonly members: readonly {
    readonly id: string;
    readonly address: string;
    readonly port: number;
    readonly wsPort?: number;
    readonly weight: number;
    readonly state: 'active' | 'draining' | 'waiting';
    readonly share: number;
  }[];
}

/** What `GET /v1/ring` answers: the ring of this process as it is now. */
export function ringAnswer(state: RingState): RingAnswer {
  const shares = state.ring.shares();
  const members = [...state.members.values()].map(({ id, address, port, wsPort, weight, draining }) => {
    const share = shares.get(id);
    const standing = draining ? 'draining' : share === undefined ? 'waiting' : 'active';
    return {
      id,
      address,
      port,
      ...(wsPort === undefined ? {} : { wsPort }),
      weight,
      state: standing,
      share: share ?? 0,
    } as const;
  });
  return {
    fingerprint: state.ring.fingerprint,
    index: state.index,
    settings: state.ring.settings,
    members: members.sort((a, b) => (a.id < b.id ? -1 : 1)),
  };
}
