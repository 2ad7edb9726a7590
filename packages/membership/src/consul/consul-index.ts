/**
 * The index to wait on next, as text: an unsigned 64-bit number that no arithmetic is done on. `undefined`, which
 * means "answer at once", when the answer had none, 0, or one that went back: the data behind it was replaced.
 */
export function nextIndex(answered: string | undefined, waitedOn: string | undefined): string | undefined {
  if (answered === undefined || !/^[0-9]{1,20}$/.test(answered)) return undefined;
  const next = BigInt(answered);
  if (next === 0n) return undefined;
  if (waitedOn !== undefined && next < BigInt(waitedOn)) return undefined;
  return answered;
}
