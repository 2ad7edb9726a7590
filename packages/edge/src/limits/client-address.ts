import { type BlockList, isIP, isIPv4 } from 'node:net';

/**
 * What connections are counted by: an IPv4 address whole, an IPv6 address by its first 64 bits, because whoever has one
 * has all of that network. IPv4 in IPv6 form (`::ffff:192.0.2.1`) is the IPv4 address.
 *
 * @param address as text; one that is none counts as it is.
 */
export function addressKey(address: string): string {
  if (isIP(address) !== 6) return address;
  const groups = groupsOf(address);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (!isMapped) {
    const network = groups.slice(0, 4).map((group) => group.toString(16));
    return `${network.join(':')}::/64`;
  }
  const [high, low] = [groups[6]!, groups[7]!];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

/**
 * Where a client is: at the other end of its connection, or, when that is a trusted proxy, where the proxies say, from the
 * last of them back to the first address that is not one of theirs.
 *
 * @param peer the other end of the connection.
 * @param forwardedFor the lines of `x-forwarded-for`, joined by commas. What a client writes there stands before what the
 *   proxies add.
 */
export function clientAddress(peer: string, forwardedFor: string, trusted: BlockList | undefined): string {
  if (trusted === undefined) return peer;
  let nearest = peer;
  const named = forwardedFor.split(',').map((part) => part.trim());
  while (isTrusted(nearest, trusted) && named.length > 0) {
    const before = withoutPort(named.pop()!);
    // whatever it is, no proxy has added it
    if (isIP(before) === 0) return nearest;
    nearest = before;
  }
  return nearest;
}

/** Some proxies write the client's port, too: `192.0.2.1:51234`, `[2001:db8::1]:51234`. */
function withoutPort(named: string): string {
  const [, v6, v4] = /^\[([^\]]*)\](?::\d+)?$|^([\d.]+):\d+$/.exec(named) ?? [];
  return v6 ?? v4 ?? named;
}

/** Whether it is an address of one of these proxies; `false` for what is no address. */
export function isTrusted(address: string, trusted: BlockList): boolean {
  const plain = isIPv4(address) ? address : addressOf(address);
  return trusted.check(plain, isIPv4(plain) ? 'ipv4' : 'ipv6');
}

/** IPv4 where it is one in IPv6 form. */
function addressOf(address: string): string {
  const key = addressKey(address);
  return isIPv4(key) ? key : address;
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): readonly number[] {
  const [text = ''] = address.split('%');
  const [head = '', tail] = text.split('::');
  const before = partsOf(head);
  const after = partsOf(tail ?? '');
  const missing = Math.max(0, 8 - before.length - after.length);
  return [...before, ...Array<number>(missing).fill(0), ...after];
}

function partsOf(text: string): readonly number[] {
  if (text === '') return [];
  return text.split(':').flatMap((part) => {
    if (!part.includes('.')) return [Number.parseInt(part, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}
