import { createServer, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Certificate, CertificateSource } from '@pinwheel/trust';
import { maxHeaderLines } from '../http/check-head.js';

/**
 * The server that clients of tunnels connect to, plain or with TLS. A new certificate is for new connections only. A TLS
 * handshake has as much time as the head of a request behind it.
 */
export function createTunnelServer(
  certificates: CertificateSource | undefined,
  given: ServerOptions,
): Server {
  // what Node.js reads with --insecure-http-parser its own client refuses to send on
  const options = { ...given, insecureHTTPParser: false };
  const server = certificates === undefined ? createServer(options) : tlsServer(certificates, options);
  // one more than are taken: what is above it is left out in silence
  server.maxHeadersCount = maxHeaderLines + 1;
  return server;
}

function tlsServer(certificates: CertificateSource, options: ServerOptions): Server {
  const server = createTlsServer({
    ...options,
    ...contextOf(certificates.current),
    handshakeTimeout: options.headersTimeout,
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
