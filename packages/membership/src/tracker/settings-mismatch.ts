import { PinwheelError } from '@pinwheel/protocol';
import { describeRingSettings, type RingSettings, ringSettingsDigest } from '@pinwheel/ring';
import type { Member } from '../member/contract.js';

/**
 * Whether a member would place keys differently from a process whose settings have this digest. One whose settings
 * are not known is taken at its word.
 */
export function hasOtherSettings(member: Member, digest: string): boolean {
  return member.settingsDigest !== undefined && member.settingsDigest !== digest;
}

/** `virtualNodes is 256 here and 512 at member n1; all processes of a service must share it: …` */
export function describeMismatch(member: Member, settings: RingSettings): string {
  const here = parse(describeRingSettings(settings));
  const there = parse(member.settingsText ?? '');
  const names = [...new Set([...here.keys(), ...there.keys()])];
  const differing = there.size === 0 ? [] : names.filter((name) => here.get(name) !== there.get(name));
  const duty =
    'all processes of a service must share it: give every process the same ring config (--ring-config)';
  if (differing.length === 0) {
    const digest = ringSettingsDigest(settings);
    return `the digest of the ring settings is ${digest} here and ${member.settingsDigest} at member ${member.id}; ${duty}`;
  }
  const parts = differing.map(
    (name) =>
      `${name} is ${here.get(name) ?? 'unknown'} here and ${there.get(name) ?? 'unknown'} at member ${member.id}`,
  );
  return `${parts.join('; ')}; ${duty}`;
}

/**
 * Why a process with these settings must not start beside these members; `undefined` when it may. One that drains is in nobody's
 * next ring.
 *
 * @param savedAt when the list is one from disk: the members may have changed since.
 */
export function mismatchAmong(
  members: readonly Member[],
  settings: RingSettings,
  savedAt?: string,
): PinwheelError | undefined {
  const digest = ringSettingsDigest(settings);
  const other = members.find((member) => !member.draining && hasOtherSettings(member, digest));
  if (other === undefined) return undefined;
  const fromDisk = savedAt === undefined ? '' : ` (so says the ring on disk, saved at ${savedAt})`;
  return new PinwheelError('settings-mismatch', describeMismatch(other, settings) + fromDisk);
}

function parse(text: string): ReadonlyMap<string, string> {
  const pairs = text.split(' ').filter((pair) => pair.includes('='));
  return new Map(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
}
