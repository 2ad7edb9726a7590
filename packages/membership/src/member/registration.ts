import { PinwheelError } from '@pinwheel/protocol';
import type { AddressRule } from './address-rule.js';
import type { Member, Registration } from './contract.js';
import { faultOf } from './member-fields.js';

/**
 * Refuses what no other process could use, or would dial.
 *
 * @throws PinwheelError `bad-option` that names the field, the value and the bound.
 */
export function checkRegistration(self: Registration, rule?: AddressRule): void {
  const fault =
    faultOf.id(self.id) ??
    faultOf.address(self.address) ??
    faultOf.port(self.port) ??
    (self.wsPort === undefined ? undefined : faultOf.port(self.wsPort, 'ws-port')) ??
    faultOf.weight(self.weight) ??
    faultOf.incarnation(self.incarnation) ??
    rule?.faultOf(self);
  if (fault !== undefined) throw new PinwheelError('bad-option', `cannot register ${self.id}: ${fault}`);
}

/** The member that others see once the entry is in. */
export function memberOf(self: Registration, draining: boolean): Member {
  return Object.freeze({
    id: self.id,
    address: self.address,
    port: self.port,
    ...(self.wsPort === undefined ? {} : { wsPort: self.wsPort }),
    weight: self.weight,
    draining,
    kind: 'node',
    incarnation: self.incarnation,
    settingsDigest: self.settingsDigest,
    settingsText: self.settingsText,
  });
}
