import { createHash } from 'node:crypto';
import { describeRingSettings, type RingSettings } from './ring-settings.js';

type Counted = readonly { readonly id: string; readonly count: number }[];

/**
 * The ring's identity in words: the settings line and one line `<id> <number of points>` a member, each ended by
 * a newline.
 *
 * @param members in the order of their ids.
 */
export function fingerprintText(members: Counted, settings: RingSettings): string {
  const lines = members.map(({ id, count }) => `${id} ${count}\n`).join('');
  return `${describeRingSettings(settings)}\n${lines}`;
}

/** The first 16 hex digits of the SHA-256 of {@link fingerprintText}. Equal fingerprints place every key alike. */
export function fingerprintOf(members: Counted, settings: RingSettings): string {
  return createHash('sha256').update(fingerprintText(members, settings)).digest('hex').slice(0, 16);
}
