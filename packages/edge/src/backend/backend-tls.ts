import { Agent, type AgentOptions } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import { isIP } from 'node:net';

/** How the backends of tunnels are connected to: plain, or with TLS. */
export interface BackendSide {
  readonly protocol: 'http:' | 'https:';
  agent(options: AgentOptions): Agent;
  /** For one connection to that address. */
  tlsFor(address: string): { readonly servername: string } | undefined;
}

/** @param ca authorities in PEM, the only ones that are trusted; without it backends are connected to without TLS. */
export function backendSide(ca: string | undefined): BackendSide {
  if (ca === undefined) {
    return { protocol: 'http:', agent: (options) => new Agent(options), tlsFor: () => undefined };
  }
  return {
    protocol: 'https:',
    agent: (options) => new TlsAgent({ ...options, ca, minVersion: 'TLSv1.2' }),
    // else it would be the client's own `host`, which the client chooses; an IP address has no place in this field, and is
    // compared all the same
    tlsFor: (address) => ({ servername: isIP(address) === 0 ? address : '' }),
  };
}
