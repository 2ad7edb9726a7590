import { existsSync } from 'node:fs';
import {
  createRingTracker,
  type Log,
  type Membership,
  type RingState,
  type RingTracker,
  staticSource,
} from '@pinwheel/membership';
import { PinwheelError } from '@pinwheel/protocol';
import { membershipOf, membershipOptions } from '../settings/membership-of.js';
import { options } from '../settings/options.js';
import { readRingConfig } from '../settings/ring-config.js';
import type { Settings } from '../settings/settings.js';
import { Credentials } from './credentials.js';

export interface OpenRing {
  readonly membership: Membership;
  readonly tracker: RingTracker;
  readonly state: RingState;
  readonly credentials: Credentials;
}

/** What a command needs that asks the ring something: a tracker that has started. */
export const ringOptions = [...membershipOptions, options.ringConfig, options.keys, options.apiKey];

/** Reads the members and builds the ring, for as long as `use` takes. */
export async function withRing<T>(
  settings: Settings,
  use: (ring: OpenRing) => Promise<T>,
  log?: Log,
): Promise<T> {
  const named = settings.needText(options.membership);
  refuseMissingFile(named);
  const credentials = Credentials.of(settings);
  const membership = membershipOf(settings, credentials.keys);
  const tracker = createRingTracker({
    membership,
    settings: readRingConfig(settings).settings,
    ...(log === undefined ? {} : { log }),
  });
  try {
    const state = await tracker.start();
    return await use({ membership, tracker, state, credentials });
  } finally {
    await tracker.close();
    await membership.close();
  }
}

/** A node may wait for its list; who asks once wants to hear at once that there is none. */
function refuseMissingFile(membership: string): void {
  const file = staticSource(membership)?.path ?? '';
  if (file === '' || existsSync(file)) return;
  throw new PinwheelError(
    'bad-option',
    `there is no file ${file}; is the ring up that writes it (pinwheel up)?`,
  );
}
