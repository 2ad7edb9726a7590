import type { Member, RingState } from '@pinwheel/membership';
import type { RingSettings } from '@pinwheel/ring';

/** The answer to `GET /v1/ring`. */
export interface RingAnswer {
  readonly fingerprint: string;
  /** The source's own counter; a hint. */
  readonly index: string;
  readonly settings: RingSettings;
  readonly members: readonly RingAnswerMember[];
}

export interface RingAnswerMember {
  readonly id: string;
  readonly address: string;
  readonly port: number;
  readonly weight: number;
  /** `active`: owns users. `draining`: leaves. `waiting`: reachable, but not counted in the ring. */
  readonly state: 'active' | 'draining' | 'waiting';
  /** Part of the key space, 0–1. */
  readonly share: number;
}

export function ringAnswer(state: RingState): RingAnswer {
  const shares = state.ring.shares();
  return {
    fingerprint: state.ring.fingerprint,
    index: state.index,
    settings: state.ring.settings,
    members: [...state.members.values()].map((member) => answerMember(member, shares.get(member.id))),
  };
}

function answerMember(member: Member, share: number | undefined): RingAnswerMember {
  const { id, address, port, weight } = member;
  const state = member.draining ? 'draining' : share === undefined ? 'waiting' : 'active';
  return { id, address, port, weight, state, share: share ?? 0 };
}
