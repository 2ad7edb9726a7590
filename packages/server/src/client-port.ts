import { PinwheelError } from '@pinwheel/protocol';
import type { Certificate, CertificateSource } from '@pinwheel/trust';
import { freeAddress, type ListenAddress, type Listening, listen, listenShared } from './listen.js';
import type { OpenSockets } from './open-sockets.js';
import { App, SSLApp, type TemplatedApp } from './uws.js';

/**
 * A port for clients, plain or with TLS. When the certificate changes, a second server listens on the same port with the
 * new one, and the first one's listen socket is closed: the connections that it has stay with it.
 */
export class ClientPort {
  readonly #serve: (app: TemplatedApp) => void;
  readonly #certificates: CertificateSource | undefined;
  readonly #sockets: OpenSockets;
  /** The last one takes new connections. Those before it are never given back: uWebSockets.js cannot. */
  readonly #apps: TemplatedApp[] = [];
  #listening: Listening | undefined;
  #unfollow: () => void = () => {};

  /** @param serve puts the routes on a server; called anew for each certificate. */
  constructor(
    serve: (app: TemplatedApp) => void,
    certificates: CertificateSource | undefined,
    sockets: OpenSockets,
  ) {
    this.#serve = serve;
    this.#certificates = certificates;
    this.#sockets = sockets;
  }

  /**
   * Listens; port 0 picks a free one. Call once.
   *
   * @param option which one names the port, for the error.
   * @throws PinwheelError (rejects) `listen`, and `bad-option` for a certificate that cannot be served.
   */
  async listen(host: string, port: number, option: string): Promise<number> {
    if (this.#certificates === undefined) {
      this.#listening = await listen(this.#add(App()), host, port, option);
      return this.#listening.port;
    }
    const address = freeAddress({ host, port, option });
    this.#listenWith(this.#certificates.current, address);
    this.#unfollow = this.#certificates.follow((next) => this.#listenWith(next, address));
    return address.port;
  }

  /** Takes no more connections. May be called twice. */
  stop(): void {
    this.#unfollow();
    this.#listening?.stop();
  }

  /** Cuts every connection. */
  close(): void {
    this.stop();
    for (const app of this.#apps) app.close();
  }

  #listenWith({ paths }: Certificate, address: ListenAddress): void {
    const next = listenShared(this.#add(tlsApp(paths.cert, paths.key)), address);
    const before = this.#listening;
    this.#listening = next;
    if (before !== undefined) stopSoon(before);
  }

  #add(app: TemplatedApp): TemplatedApp {
    this.#serve(app);
    this.#sockets.follow(app);
    this.#apps.push(app);
    return app;
  }
}

/** The system resets connections that wait to be accepted at a socket that closes: those that have come are accepted first. */
function stopSoon(listening: Listening): void {
  setImmediate(() => setImmediate(() => listening.stop()));
}

/** TLS 1.2 and 1.3; uWebSockets.js has no older ones. */
function tlsApp(cert: string, key: string): TemplatedApp {
  try {
    return SSLApp({ cert_file_name: cert, key_file_name: key });
  } catch (cause) {
    // it does not say why; what OpenSSL takes and BoringSSL does not is an odd kind of key
    const hint = 'uWebSockets.js takes RSA, P-256, P-384, P-521 and Ed25519 keys';
    throw new PinwheelError('bad-option', `tls-cert: ${cert} with ${key} cannot be served; ${hint}`, {
      cause,
    });
  }
}
