import type { Member } from '@pinwheel/membership';
import { PinwheelError } from '@pinwheel/protocol';
import { NodeClient } from './node-client.js';

/** One client per node; a member that comes back elsewhere gets a new one. */
export class NodeClients {
  readonly #clients = new Map<string, { readonly origin: string; readonly client: NodeClient }>();
  #closed = false;

  of(member: Member): NodeClient {
    if (this.#closed) throw new PinwheelError('closed', 'the connections to the nodes are closed');
    const origin = originOf(member);
    const known = this.#clients.get(member.id);
    if (known?.origin === origin) return known.client;
    void known?.client.close();
    const client = new NodeClient(member.id, origin);
    this.#clients.set(member.id, { origin, client });
    return client;
  }

  /** Closes the connections to those who have left. */
  keepOnly(members: ReadonlyMap<string, Member>): void {
    for (const [id, { client }] of this.#clients) {
      if (members.has(id)) continue;
      this.#clients.delete(id);
      void client.close();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#clients.values()].map(({ client }) => client.close()));
    this.#clients.clear();
  }
}

/** For example `http://10.0.0.1:7001`, `http://[::1]:7001`. */
export function originOf(member: Member): string {
  const host = member.address.includes(':') ? `[${member.address}]` : member.address;
  return `http://${host}:${member.port}`;
}
