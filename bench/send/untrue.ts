import type { Round } from '../kit/bar.js';

const faults = ['lost', 'duplicated', 'denied', 'undelivered'];

/** Receipts of a contender with which something was wrong. */
export function untrue(round: Round, contender: string): number {
  return faults.reduce((total, fault) => total + round[contender]![fault]!, 0);
}
