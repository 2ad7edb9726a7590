import type { Log } from '@pinwheel/membership';
import { clientProtocol, maxMessageBytes, PinwheelError } from '@pinwheel/protocol';
import {
  App,
  chooseProtocol,
  type HttpRequest,
  type HttpResponse,
  type Listening,
  listen,
  noCompression,
  readHandshake,
  readQueryUser,
  statusLineOf,
  type TemplatedApp,
  type us_socket_context_t,
} from '@pinwheel/server';
import { ClientSocket, type ClientSocketData } from './client-socket.js';
import type { EdgeCounters, UpgradeOutcome } from './edge-counters.js';
import type { EdgeCore } from './link/edge-core.js';
import { notNow, type Refusal, refusal, refusalOf } from './refusal.js';

export interface LinkFrontOptions {
  readonly core: EdgeCore;
  readonly takesUpgrades: (path: string) => boolean;
  /** Why nobody can be taken now; `undefined` when somebody can. */
  readonly closedBecause: () => { readonly outcome: UpgradeOutcome; readonly why: string } | undefined;
  readonly maxConnections: number;
  readonly maxInboundBytes: number;
  readonly maxUnreadBytes: number;
  readonly maxPausedBytes: number;
  readonly idleTimeoutSeconds: number;
  readonly counters: EdgeCounters;
  readonly log: Log;
}

/** Chosen first of what a client offers. */
const knownProtocols = [clientProtocol, 'pinwheel.raw'];

/** Messages over a client's bound but not this one reach the session, which can say what is wrong with them. */
function payloadBound(maxInboundBytes: number): number {
  return Math.max(4 * maxInboundBytes, 2 * maxMessageBytes);
}

/** The WebSocket server of a link edge: takes clients, and makes sessions of them. */
export class LinkFront {
  readonly #app: TemplatedApp;
  readonly #options: LinkFrontOptions;
  #listening: Listening | undefined;
  #connections = 0;

  constructor(options: LinkFrontOptions) {
    this.#options = options;
    this.#app = App()
      .ws<ClientSocketData>('/*', {
        compression: noCompression,
        maxPayloadLength: payloadBound(options.maxInboundBytes),
        // what a session may have when it is closed, the message that was one too many, and a close frame
        maxBackpressure: options.maxUnreadBytes + options.maxPausedBytes + 2 * maxMessageBytes,
        idleTimeout: options.idleTimeoutSeconds,
        sendPingsAutomatically: true,
        upgrade: (response, request, context) =>
          this.#guard(
            () => this.#upgrade(response, request, context),
            () => response.close(),
          ),
        open: (socket) =>
          this.#guard(
            () => this.#open(socket.getUserData().client, socket),
            () => socket.close(),
          ),
        message: (socket, data, isBinary) =>
          this.#guard(() => socket.getUserData().client.session?.received(new Uint8Array(data), isBinary)),
        drain: (socket) => this.#guard(() => socket.getUserData().client.drained()),
        close: (socket, code, reason) => {
          const { client } = socket.getUserData();
          this.#connections--;
          client.closed();
          this.#guard(() => client.session?.gone(code, Buffer.from(reason).toString()));
        },
      })
      .any('/*', (response, request) => this.#refuseRequest(response, request));
  }

  /** Clients' sockets that are open. */
  get connections(): number {
    return this.#connections;
  }

  /** @throws PinwheelError (rejects) `listen`. */
  async listen(host: string, port: number): Promise<number> {
    this.#listening = await listen(this.#app, host, port, 'port');
    return this.#listening.port;
  }

  /** Takes no more connections. May be called twice. */
  stopListening(): void {
    this.#listening?.stop();
  }

  /** Cuts every socket. */
  close(): void {
    this.#app.close();
  }

  #upgrade(response: HttpResponse, request: HttpRequest, context: us_socket_context_t): void {
    const handshake = readHandshake(request);
    if ('wrong' in handshake) {
      const { status, wrong } = handshake;
      const extra = status === 426 ? { headers: { 'sec-websocket-version': '13' } } : {};
      this.#refuse(response, { ...refusal(status, wrong.code, wrong.message), ...extra }, 'bad-request');
      return;
    }
    const { closedBecause, takesUpgrades, maxConnections, maxUnreadBytes, counters } = this.#options;
    if (!takesUpgrades(request.getUrl())) {
      this.#refuse(response, refusal(404, 'not-found', 'no WebSocket is served at this path'), 'not-found');
      return;
    }
    const closed = closedBecause();
    if (closed !== undefined) {
      this.#refuse(response, notNow('unavailable', closed.why), closed.outcome);
      return;
    }
    if (this.#connections >= maxConnections) {
      const full = `this edge has ${maxConnections} connections, the most it takes`;
      this.#refuse(response, notNow('overloaded', full), 'overloaded');
      return;
    }
    const user = userOf(request);
    if (typeof user !== 'string') {
      this.#refuse(response, user, 'bad-user');
      return;
    }
    const protocol = chooseProtocol(handshake.protocol, knownProtocols);
    const client = new ClientSocket(user, protocol, maxUnreadBytes);
    counters.upgrades.opened++;
    response.upgrade<ClientSocketData>({ client }, handshake.key, protocol, '', context);
  }

  #open(client: ClientSocket, socket: Parameters<ClientSocket['opened']>[0]): void {
    this.#connections++;
    client.opened(socket);
    const speech = client.protocol === clientProtocol ? 'v1' : 'plain';
    client.session = this.#options.core.open(client.user, speech, client);
  }

  #refuse(response: HttpResponse, refused: Refusal, outcome: UpgradeOutcome): void {
    this.#options.counters.upgrades[outcome]++;
    answer(response, refused);
  }

  #refuseRequest(response: HttpResponse, request: HttpRequest): void {
    const { takesUpgrades, counters } = this.#options;
    counters.requests['bad-request']++;
    if (takesUpgrades(request.getUrl())) {
      const headers = { upgrade: 'websocket' };
      answer(response, { ...refusal(426, 'bad-request', 'this path takes WebSockets only'), headers });
    } else answer(response, refusal(404, 'not-found', 'this edge takes WebSockets only'));
  }

  /**
   * An exception past a handler would end the process, and with it everybody's connections; so would an upgrade that
   * is not answered.
   */
  #guard(handle: () => void, giveUp: () => void = () => {}): void {
    try {
      handle();
    } catch (thrown) {
      const { message, stack } = thrown as Error;
      this.#options.log.error({ stack }, `a client's socket: ${message}`);
      giveUp();
    }
  }
}

function userOf(request: HttpRequest): string | Refusal {
  try {
    return (
      readQueryUser(request) ?? refusal(400, 'bad-user', 'user is missing; it must be in the query: ?user=…')
    );
  } catch (thrown) {
    return refusalOf(PinwheelError.from(thrown, 'bad-user'));
  }
}

function answer(response: HttpResponse, { status, code, message, headers = {} }: Refusal): void {
  response.writeStatus(statusLineOf(status)).writeHeader('content-type', 'application/json');
  for (const [name, value] of Object.entries(headers)) response.writeHeader(name, value);
  // what a client sent behind the request is not read
  response.end(JSON.stringify({ error: { code, message } }), true);
}
