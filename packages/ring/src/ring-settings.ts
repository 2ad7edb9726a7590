import { createHash } from 'node:crypto';

/** Hash functions a ring can be built with; both end in an unsigned 32-bit point. */
export type RingHash = 'xxhash32' | 'md5';

/** What every process of one service must share, or they would place users differently. */
export interface RingSettings {
  /** `xxhash32` is the default; `md5` makes a look-up some ten times slower, for senders in languages without xxHash. */
  readonly hash: RingHash;
  /**
   * Points on the ring for a member of weight 1, 1–4096. More points spread users more evenly (512: the
   * busiest of ten members has 1.07 times the mean) and cost 4 bytes each and a slower build.
   */
  readonly virtualNodes: number;
}

export const defaultRingSettings: RingSettings = Object.freeze({ hash: 'xxhash32', virtualNodes: 512 });

export const maxVirtualNodes = 4096;

/**
 * Fills in defaults and refuses what no ring can be built from.
 *
 * @throws RangeError that names the setting, the value and the bound.
 */
export function ringSettings(partial: Partial<RingSettings> = {}): RingSettings {
  const hash = partial.hash ?? defaultRingSettings.hash;
  const virtualNodes = partial.virtualNodes ?? defaultRingSettings.virtualNodes;
  if (hash !== 'xxhash32' && hash !== 'md5') {
    throw new RangeError(`hash is ${JSON.stringify(hash)}; it must be "xxhash32" or "md5"`);
  }
  if (!Number.isInteger(virtualNodes) || virtualNodes < 1 || virtualNodes > maxVirtualNodes) {
    throw new RangeError(`virtualNodes is ${virtualNodes}; it must be between 1 and ${maxVirtualNodes}`);
  }
  return Object.freeze({ hash, virtualNodes });
}

/** One canonical line; equal lines mean equal placement. Readable, so that a mismatch can be named. */
export function describeRingSettings(settings: RingSettings): string {
  return `hash=${settings.hash} virtualNodes=${settings.virtualNodes}`;
}

/** The first 16 hex digits of the SHA-256 of {@link describeRingSettings}. */
export function ringSettingsDigest(settings: RingSettings): string {
  return createHash('sha256').update(describeRingSettings(settings)).digest('hex').slice(0, 16);
}
