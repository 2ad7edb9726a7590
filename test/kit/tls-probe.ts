import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';

export interface Probed {
  /** Of the certificate that the server showed, SHA-256. */
  readonly fingerprint: string;
  readonly protocol: string | null;
}

/** One TLS handshake with a port of this machine. Rejects with what the handshake failed with. */
export async function probeTls(port: number, options: ConnectionOptions = {}): Promise<Probed> {
  const socket = await handshake(port, options);
  const { fingerprint256: fingerprint } = socket.getPeerCertificate();
  const protocol = socket.getProtocol();
  socket.destroy();
  return { fingerprint, protocol };
}

function handshake(port: number, options: ConnectionOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
    socket.once('error', reject);
    socket.once('secureConnect', () => resolve(socket));
  });
}
