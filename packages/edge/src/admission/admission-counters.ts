/** What became of a token that a client sent on its connection. */
export const renewalOutcomes = ['renewed', 'refused'] as const;
/** What became of a reading of the keys that tokens are signed with. */
export const keySetOutcomes = ['read', 'failed'] as const;
/** What became of a question to the auth webhook. `cached`: it was not asked. */
export const webhookOutcomes = ['admitted', 'refused', 'failed', 'cached'] as const;

export interface AdmissionCounters {
  readonly renewals: Record<(typeof renewalOutcomes)[number], number>;
  readonly keySets: Record<(typeof keySetOutcomes)[number], number>;
  readonly webhook: Record<(typeof webhookOutcomes)[number], number>;
}

export function admissionCounters(): AdmissionCounters {
  return {
    renewals: { renewed: 0, refused: 0 },
    keySets: { read: 0, failed: 0 },
    webhook: { admitted: 0, refused: 0, failed: 0, cached: 0 },
  };
}
