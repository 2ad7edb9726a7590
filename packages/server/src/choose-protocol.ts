/**
 * The subprotocol for an upgrade: browsers want one of those that they offered. The first of `preferred` that is among
 * them, else the first one offered, else none (empty). A token that travels among them is never echoed.
 *
 * @param offered the header `sec-websocket-protocol`.
 */
export function chooseProtocol(offered: string, preferred: readonly string[]): string {
  if (offered === '') return '';
  const names = offered.split(',').map((name) => name.trim());
  return (
    preferred.find((name) => names.includes(name)) ?? names.find((name) => !name.startsWith('bearer.')) ?? ''
  );
}
