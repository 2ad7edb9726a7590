import { createServer, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Certificate, CertificateSource } from '@pinwheel/trust';

/** For a TLS handshake, in ms; who says nothing for so long is cut off. */
const tlsHandshakeMs = 10_000;

/** The server that clients of tunnels connect to, plain or with TLS. A new certificate is for new connections only. */
export function createTunnelServer(
  certificates: CertificateSource | undefined,
  options: ServerOptions,
): Server {
  if (certificates === undefined) return createServer(options);
  const server = createTlsServer({
    ...options,
    ...contextOf(certificates.current),
    handshakeTimeout: tlsHandshakeMs,
    // as a plain server has it: a client that says its last word may still be answered
    allowHalfOpen: true,
  } as ServerOptions);
  const unfollow = certificates.follow((next) => server.setSecureContext(contextOf(next)));
  server.once('close', unfollow);
  return server;
}

function contextOf({ cert, key }: Certificate) {
  return { cert, key, minVersion: 'TLSv1.2' } as const;
}
