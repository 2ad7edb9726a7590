import { isIP } from 'node:net';
import { isMemberId, isWeight, maxWeight, minWeight } from '@pinwheel/ring';

const hostPattern = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9.])?$/;
/** As a URL writes them. */
const wildcards: ReadonlySet<string> = new Set(['0.0.0.0', '[::]', '[::ffff:0:0]']);
const incarnationPattern = /^[A-Za-z0-9._:-]{1,64}$/;

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, 80);
}

/** Each says what is wrong with a field, naming the value and the bound; `undefined` when nothing is. */
export const faultOf = {
  id(id: unknown): string | undefined {
    return isMemberId(id) ? undefined : `id is ${shown(id)}; it must match [A-Za-z0-9._:-]{1,64}`;
  },
  address(address: unknown): string | undefined {
    const host = typeof address === 'string' ? hostInUrl(address) : undefined;
    if (host === undefined) return `address is ${shown(address)}; it must be a host name or an IP address`;
    if (wildcards.has(host)) return `address is ${address}; it must be one that others can connect to`;
    return undefined;
  },
  port(port: unknown, name = 'port'): string | undefined {
    if (typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65_535) return undefined;
    return `${name} is ${shown(port)}; it must be between 1 and 65535`;
  },
  weight(weight: unknown): string | undefined {
    if (isWeight(weight)) return undefined;
    return `weight is ${shown(weight)}; it must be between ${minWeight} and ${maxWeight}`;
  },
  incarnation(incarnation: unknown): string | undefined {
    if (typeof incarnation === 'string' && incarnationPattern.test(incarnation)) return undefined;
    return `incarnation is ${shown(incarnation)}; it must match [A-Za-z0-9._:-]{1,64}`;
  },
};

/**
 * The host as a URL has it; `undefined` when no URL can have it, as `10.0.0.256` or `fe80::1%eth0`, or when a URL
 * reads an address into what is not written as one: `10.1` and `010.0.0.1` are not the same to everybody.
 */
function hostInUrl(address: string): string | undefined {
  if (isIP(address) === 0 && !hostPattern.test(address)) return undefined;
  const url = `http://${authorityOf(address, 1)}`;
  if (!URL.canParse(url)) return undefined;
  const { hostname } = new URL(url);
  return isIP(hostname) === 4 && isIP(address) !== 4 ? undefined : hostname;
}

/** `host:port`, with brackets around an IPv6 address. */
export function authorityOf(address: string, port: number): string {
  return isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}
