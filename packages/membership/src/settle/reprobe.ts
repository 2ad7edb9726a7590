const longestMs = { following: 2_000, frozen: 30_000 } as const;

/**
 * The pause before a member that is not listed is asked again, in ms: it doubles, and is a quarter longer or shorter, as all
 * processes lose a member at the same moment and are not to ask it together for good.
 *
 * @param probes how often it was asked.
 * @param random 0–1.
 */
export function reprobePauseMs(
  probes: number,
  firstMs: number,
  ring: keyof typeof longestMs,
  random: () => number,
): number {
  const pauseMs = Math.min(longestMs[ring], firstMs * 2 ** Math.min(probes - 1, 20));
  return pauseMs * (0.75 + 0.5 * random());
}
