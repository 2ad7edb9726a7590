import { type Membership, membershipFrom } from '@pinwheel/membership';
import type { KeySource } from '@pinwheel/trust';
import { given } from './given.js';
import { options } from './options.js';
import type { Settings } from './settings.js';

/** What every command takes that reads the members. */
export const membershipOptions = [
  options.membership,
  options.allowNetworks,
  options.allowPorts,
  options.allowDnsNames,
  options.allowUnproven,
];

/**
 * The members that the settings name, where they may be.
 *
 * @param keys that members from Consul have to prove that they have.
 * @throws PinwheelError `bad-option`.
 */
export function membershipOf(settings: Settings, keys?: KeySource): Membership {
  const names = settings.flag(options.allowDnsNames);
  return membershipFrom(settings.needText(options.membership), {
    ...given('allowNetworks', settings.texts(options.allowNetworks)?.flatMap(split)),
    ...given('allowPorts', settings.texts(options.allowPorts)?.flatMap(split)),
    ...(names ? { allowDnsNames: true } : {}),
    ...(settings.flag(options.allowUnproven) ? {} : given('keys', keys)),
  });
}

function split(list: string): readonly string[] {
  return list.split(',').map((one) => one.trim());
}
