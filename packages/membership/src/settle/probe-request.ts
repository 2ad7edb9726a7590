import type { Member } from '../member/contract.js';

/** A member that is to be asked directly whether it is there. */
export interface ProbeRequest {
  readonly ticket: number;
  readonly member: Member;
  /** What is found of the others counts only with the answer of such a one: it is asked before those that wait. */
  readonly isWitness?: true;
}
