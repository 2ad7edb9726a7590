import type { StaticMember } from '@pinwheel/membership';
import { freePorts } from './free-ports.js';

/** A node of this machine. */
export type LocalMember = StaticMember & { readonly port: number; readonly wsPort: number };

/** With free ports. */
export async function localMembers(ids: readonly string[]): Promise<readonly LocalMember[]> {
  const ports = await freePorts(2 * ids.length);
  return ids.map((id, i) => ({
    id,
    address: '127.0.0.1',
    port: ports[2 * i]!,
    wsPort: ports[2 * i + 1]!,
  }));
}
