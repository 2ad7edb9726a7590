import { createHash } from 'node:crypto';
import { describeRingSettings, type RingSettings } from './ring-settings.js';

/**
 * The ring's identity: the first 16 hex digits of the SHA-256 of the settings line and one line
 * `<id> <number of points>` a member, in the order of ids. Two rings with one fingerprint place every key alike.
 */
export function fingerprintOf(
  members: readonly { readonly id: string; readonly count: number }[],
  settings: RingSettings,
): string {
  const hash = createHash('sha256').update(`${describeRingSettings(settings)}\n`);
  for (const { id, count } of members) hash.update(`${id} ${count}\n`);
  return hash.digest('hex').slice(0, 16);
}
