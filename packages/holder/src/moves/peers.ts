import type { Member } from '@pinwheel/membership';
import type { UserState } from '../users/user-state.js';

/** What every answer of a node says beside the answers: who it is, and what it has that belongs to others. */
export interface PeerAnswer<Answer> {
  readonly incarnation: string;
  readonly fingerprint: string;
  /** Users that it has and its ring gives to others. */
  readonly foreignUsers: number;
  /** In the order of the users. */
  readonly answers: readonly Answer[];
}

export interface ClaimRequest {
  /** Id of the member that asks. */
  readonly from: string;
  readonly incarnation: string;
  readonly users: readonly string[];
}

export type ClaimAnswer =
  /** Nothing is known of the user, and that it is with the claimant now is. */
  | { readonly kind: 'none' }
  /** Settled: that member has acknowledged the copy, or has been the only one to know. Older nodes do not say. */
  | { readonly kind: 'moved'; readonly to: string; readonly settled?: boolean }
  | { readonly kind: 'yours'; readonly handoff: string }
  /** It could not be handed over, or belongs to somebody else by this node's ring. */
  | { readonly kind: 'held' };

export interface PrepareRequest {
  readonly from: string;
  readonly incarnation: string;
  readonly users: readonly { readonly user: string; readonly handoff: string; readonly state: UserState }[];
}

export type PrepareAnswer = { readonly kind: 'kept' } | { readonly kind: 'refused'; readonly why: string };

export interface CommitRequest {
  readonly from: string;
  /** Incarnation of a process that ends as planned and has nobody left: its last word. Older nodes do not say it. */
  readonly ends?: string | undefined;
  readonly users: readonly { readonly user: string; readonly handoff: string }[];
}

/** `unknown`: this process has no such copy and had none. */
export type CommitAnswer = { readonly kind: 'done' } | { readonly kind: 'unknown' };

/** The calls between nodes. They reject when nothing is known of what became of them. */
export interface Peers {
  claim(member: Member, request: ClaimRequest): Promise<PeerAnswer<ClaimAnswer>>;
  prepare(member: Member, request: PrepareRequest): Promise<PeerAnswer<PrepareAnswer>>;
  commit(member: Member, request: CommitRequest): Promise<PeerAnswer<CommitAnswer>>;
}

/** Users in one call, and bytes of their kept messages: more go with the next one. */
export const maxCallUsers = 500;
export const maxCallBytes = 4_194_304;
