import { PinwheelError } from '@pinwheel/protocol';
import { type RingHash, type RingSettings, ringSettings } from '@pinwheel/ring';
import { z } from 'zod';
import { options } from './options.js';
import { readJsonObject, type Settings } from './settings.js';

/** What all processes of a service share; the schema is `ring-config/ring.schema.json`. */
export interface RingConfig {
  readonly settings: RingSettings;
  readonly usersPerSecond: number | undefined;
}

const shape = z.strictObject({
  $schema: z.string().optional(),
  hash: z.string().optional(),
  virtualNodes: z.number().optional(),
  migration: z.strictObject({ usersPerSecond: z.number().int().min(1).max(1_000_000).optional() }).optional(),
});

/** @throws PinwheelError `bad-option` that names the file, the setting, the value and the bound. */
export function readRingConfig(given: Settings): RingConfig {
  const file = given.text(options.ringConfig);
  const usersPerSecond = given.number(options.usersPerSecond);
  if (file === undefined) return { settings: ringSettings(), usersPerSecond };
  const parsed = shape.safeParse(readJsonObject(file));
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new PinwheelError('bad-option', `${file}: ${issue.path.join('.') || 'the file'}: ${issue.message}`);
  }
  const { hash, virtualNodes, migration } = parsed.data;
  try {
    const settings = ringSettings({
      ...(hash === undefined ? {} : { hash: hash as RingHash }),
      ...(virtualNodes === undefined ? {} : { virtualNodes }),
    });
    return { settings, usersPerSecond: usersPerSecond ?? migration?.usersPerSecond };
  } catch (cause) {
    throw new PinwheelError('bad-option', `${file}: ${(cause as Error).message}`, { cause });
  }
}
