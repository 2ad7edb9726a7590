/** `pinwheel.v1`, and what may come after it. */
const ours = /^pinwheel\.v\d+$/;

/**
 * The subprotocol for an upgrade: browsers want one of those that they offered. The first of `spoken` that is among
 * them, else the first one offered, else none (empty). A token that travels among them is never echoed, and
 * `pinwheel.v…` is not said where it is not spoken: clients must not take bare payloads for it.
 *
 * @param offered the header `sec-websocket-protocol`.
 */
export function chooseProtocol(offered: string, spoken: readonly string[]): string {
  if (offered === '') return '';
  const names = offered.split(',').map((name) => name.trim());
  const passes = (name: string): boolean => !name.startsWith('bearer.') && !ours.test(name);
  return spoken.find((name) => names.includes(name)) ?? names.find(passes) ?? '';
}
