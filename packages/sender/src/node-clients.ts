import type { Member } from '@pinwheel/membership';
import { PinwheelError } from '@pinwheel/protocol';
import type { Signer } from '@pinwheel/trust';
import { NodeClient } from './node-client.js';
import { noTraffic } from './traffic.js';

/** One client per node; a member that comes back elsewhere gets a new one. */
export class NodeClients {
  /** Of all of them together. */
  readonly traffic = noTraffic();
  readonly #clients = new Map<string, { readonly origin: string; readonly client: NodeClient }>();
  /** Of members that have left, with requests under way. */
  readonly #retired = new Set<NodeClient>();
  readonly #signer: Signer | undefined;
  #closed = false;

  /** @param signer proves to the nodes who calls; without it calls carry no proof. */
  constructor(signer?: Signer) {
    this.#signer = signer;
  }

  of(member: Member): NodeClient {
    if (this.#closed) throw new PinwheelError('closed', 'the connections to the nodes are closed');
    const origin = originOf(member);
    const known = this.#clients.get(member.id);
    if (known?.origin === origin) return known.client;
    if (known !== undefined) this.#retire(known.client);
    const client = new NodeClient(member.id, origin, this.traffic, this.#signer);
    this.#clients.set(member.id, { origin, client });
    return client;
  }

  /** Closes the connections to those who have left, once what is under way has ended: cut, its outcome would be unknown. */
  keepOnly(members: ReadonlyMap<string, Member>): void {
    for (const [id, { client }] of this.#clients) {
      if (members.has(id)) continue;
      this.#clients.delete(id);
      this.#retire(client);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const clients = [...this.#clients.values()].map(({ client }) => client);
    await Promise.all([...clients, ...this.#retired].map((client) => client.close()));
    this.#clients.clear();
  }

  #retire(client: NodeClient): void {
    this.#retired.add(client);
    const ended = (): void => void this.#retired.delete(client);
    // when it is cut after all, that is no news
    client.retire().then(ended, ended);
  }
}

/** For example `http://10.0.0.1:7001`, `http://[::1]:7001`. */
export function originOf(member: Pick<Member, 'address' | 'port'>): string {
  const host = member.address.includes(':') ? `[${member.address}]` : member.address;
  return `http://${host}:${member.port}`;
}
