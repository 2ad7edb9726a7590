import { type BlockList, isIP } from 'node:net';
import { PinwheelError } from '@pinwheel/protocol';
import { networkList } from './network.js';
import { type PortRange, parsePorts } from './port-range.js';

/** Where members may be. The same in every process of a service, or they see different rings. */
export interface AddressRuleOptions {
  /**
   * Networks in CIDR form (`10.0.0.0/8`, `fd00::/8`, or one address); members elsewhere are left out. Default: anywhere
   * but where no member can be. The narrower, the less whoever writes to the source can have this process call.
   */
  readonly allowNetworks?: readonly string[];
  /** Ports and ranges of them (`7001`, `7000-7999`). Default: from a file all, from Consul 80, 443 and 1024–65535. */
  readonly allowPorts?: readonly string[];
  /**
   * Takes host names. Default: from a file, not from Consul. What a name stands for is looked up when it is dialled:
   * it is bound to no network.
   */
  readonly allowDnsNames?: boolean;
}

/** Where a member is. */
export interface Located {
  readonly address: string;
  readonly port: number;
  readonly wsPort?: number;
}

/** No member can be there, whatever is allowed: an address that means something else, or that a cloud keeps for itself. */
const never: readonly (readonly [network: string, what: string])[] = [
  ['0.0.0.0/8', 'this network'],
  ['::/128', 'unspecified'],
  // before the link-local ones that they are among
  ['169.254.169.254/32', 'a metadata service'],
  ['fd00:ec2::254/128', 'a metadata service'],
  ['fd20:ce::254/128', 'a metadata service'],
  ['100.100.100.200/32', 'a metadata service'],
  ['168.63.129.16/32', 'a metadata service'],
  ['169.254.0.0/16', 'link-local'],
  ['fe80::/10', 'link-local'],
  ['224.0.0.0/4', 'multicast'],
  ['ff00::/8', 'multicast'],
  ['240.0.0.0/4', 'reserved or broadcast'],
  // the IPv4 address inside is dialled, and no rule for IPv4 sees it; `::ffff:0:0/96` is read as what it holds
  ['::/96', 'an IPv4 address in disguise'],
  ['64:ff9b::/96', 'an IPv4 address in disguise'],
  ['64:ff9b:1::/48', 'an IPv4 address in disguise'],
  ['2002::/16', 'an IPv4 address in disguise'],
  ['2001::/32', 'an IPv4 address in disguise'],
];
const usualPorts = { file: ['1-65535'], consul: ['80', '443', '1024-65535'] } as const;
const loopback = listOf(['::1/128'], 'never');
const neverList = listOf(
  never.map(([network]) => network),
  'never',
);
const neverLists = never.map(([network, what]) => ({ list: listOf([network], 'never'), what }));

/** Decides which members may be dialled at all. Immutable; knows no socket and looks no name up. */
export class AddressRule {
  readonly #networks: BlockList | undefined;
  readonly #networksText: string;
  readonly #ports: readonly PortRange[];
  readonly #portsText: string;
  readonly #allowsNames: boolean;

  /**
   * @param from who wrote the members down: what a file has is the operator's own word.
   * @throws PinwheelError `bad-option` for what is no network or no port.
   */
  constructor(options: AddressRuleOptions, from: 'file' | 'consul') {
    const { allowNetworks, allowPorts = usualPorts[from], allowDnsNames = from === 'file' } = options;
    this.#networks = allowNetworks === undefined ? undefined : listOf(allowNetworks, 'allowNetworks');
    this.#networksText = allowNetworks?.join(', ') ?? '';
    this.#ports = allowPorts.map((text) => parsePorts(text, 'allowPorts'));
    this.#portsText = allowPorts.join(', ');
    this.#allowsNames = allowDnsNames;
    if (allowNetworks?.length === 0 || allowPorts.length === 0) {
      throw new PinwheelError('bad-option', 'allowNetworks and allowPorts must not be empty; leave them out');
    }
  }

  /** Why a member with a well-formed address is not dialled; `undefined` when it may be. */
  faultOf({ address, port, wsPort }: Located): string | undefined {
    return (
      this.#addressFault(address) ??
      this.#portFault('port', port) ??
      (wsPort === undefined ? undefined : this.#portFault('wsPort', wsPort))
    );
  }

  #addressFault(address: string): string | undefined {
    const version = isIP(address);
    if (version === 0) {
      if (this.#allowsNames) return undefined;
      return `address is ${address}; host names are not taken: register an IP address, or allow names (allowDnsNames)`;
    }
    const kind = version === 4 ? 'ipv4' : 'ipv6';
    const refused = neverAt(address, kind);
    // it is among the addresses that may hide another one
    if (refused !== undefined && !loopback.check(address, kind))
      return `address is ${address}; it is ${refused.what}, where no member can be`;
    if (this.#networks === undefined || this.#networks.check(address, kind)) return undefined;
    return `address is ${address}; it must be in ${this.#networksText} (allowNetworks)`;
  }

  #portFault(name: string, port: number): string | undefined {
    if (this.#ports.some(({ least, most }) => port >= least && port <= most)) return undefined;
    return `${name} is ${port}; it must be in ${this.#portsText} (allowPorts)`;
  }
}

function neverAt(address: string, kind: 'ipv4' | 'ipv6'): { readonly what: string } | undefined {
  // nearly nobody is there, and each look at a list costs microseconds
  if (!neverList.check(address, kind)) return undefined;
  return neverLists.find(({ list }) => list.check(address, kind));
}

function listOf(networks: readonly string[], option: string): BlockList {
  return networkList(networks, (text) => {
    const shown = JSON.stringify(text.slice(0, 80));
    return new PinwheelError(
      'bad-option',
      `${option} has ${shown}; it must be a network such as 10.0.0.0/8 or fd00::/8`,
    );
  });
}
