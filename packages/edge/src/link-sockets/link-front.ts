import type { BlockList } from 'node:net';
import type { Log } from '@pinwheel/membership';
import { clientProtocol, maxMessageBytes, PinwheelError } from '@pinwheel/protocol';
import {
  ClientPort,
  type ConnectionLimits,
  chooseProtocol,
  type Handshake,
  type Heads,
  type HttpRequest,
  type HttpResponse,
  noCompression,
  Opening,
  type OpenSockets,
  openHeads,
  type Place,
  readHandshake,
  type TemplatedApp,
  type us_socket_context_t,
} from '@pinwheel/server';
import type { CertificateSource } from '@pinwheel/trust';
import type { Admission, Admissions } from '../admission/admission.js';
import { requestOfUpgrade } from '../admission/admission-request.js';
import { followTokens } from '../admission/follow-tokens.js';
import { TokenLives } from '../admission/token-lives.js';
import { limited, notNow, type Refusal, refusal, webSocketsOnly } from '../http/refusal.js';
import { arriveOnLink } from '../limits/arrive.js';
import type { EdgeCore } from '../link/edge-core.js';
import { maxPausedBytes } from '../link/edge-core-options.js';
import type { EdgeCounters, UpgradeOutcome } from '../metrics/edge-counters.js';
import { answerOnLink } from './answer-on-link.js';
import { ClientSocket, type ClientSocketData } from './client-socket.js';

export interface LinkFrontOptions {
  readonly core: EdgeCore;
  readonly admissions: Admissions;
  readonly takesUpgrades: (path: string) => boolean;
  /** Why nobody can be taken now; `undefined` when somebody can. */
  readonly closedBecause: () => { readonly outcome: UpgradeOutcome; readonly why: string } | undefined;
  readonly places: ConnectionLimits;
  readonly sockets: OpenSockets;
  /** Whose word on the addresses of clients counts. */
  readonly trustedProxies: BlockList | undefined;
  readonly headTimeoutMs: number;
  readonly maxHeadBytes: number;
  readonly maxInboundBytes: number;
  readonly maxUnreadBytes: number;
  readonly idleTimeoutSeconds: number;
  readonly tls: CertificateSource | undefined;
  readonly counters: EdgeCounters;
  readonly log: Log;
}

/** Chosen first of what a client offers. */
const knownProtocols = [clientProtocol, 'pinwheel.raw'];

/** Messages over a client's bound but not this one reach the session, which can say what is wrong with them. */
function payloadBound(maxInboundBytes: number): number {
  return Math.max(4 * maxInboundBytes, 2 * maxMessageBytes);
}

/** An upgrade that is being looked at. */
interface Arrival {
  readonly response: HttpResponse;
  readonly handshake: Handshake;
  readonly context: us_socket_context_t;
  readonly place: Place;
}

/** The WebSocket server of a link edge: takes clients, and makes sessions of them. */
export class LinkFront {
  readonly #port: ClientPort;
  readonly #options: LinkFrontOptions;
  readonly #heads: Heads;
  readonly #tokens = new TokenLives(Date.now());
  readonly #stopTokens: () => void;
  #connections = 0;
  readonly #opening = new Opening<ClientSocketData>();

  constructor(options: LinkFrontOptions) {
    this.#options = options;
    this.#stopTokens = followTokens(this.#tokens, (call) => this.#guard(call));
    const { headTimeoutMs, counters } = options;
    this.#heads = openHeads(headTimeoutMs, () => counters.limits['head-time']++);
    this.#port = new ClientPort((app) => this.#serve(app), options.tls, options.sockets);
  }

  /** Clients' sockets that are open. */
  get connections(): number {
    return this.#connections;
  }

  /** @throws PinwheelError (rejects) `listen`. */
  listen(host: string, port: number): Promise<number> {
    return this.#port.listen(host, port, 'port');
  }

  /** Takes no more connections. May be called twice. */
  stopListening(): void {
    this.#port.stop();
  }

  /** Cuts every socket. */
  close(): void {
    this.#stopTokens();
    this.#heads.close();
    this.#port.close();
  }

  #serve(app: TemplatedApp): void {
    const options = this.#options;
    app
      .ws<ClientSocketData>('/*', {
        compression: noCompression,
        maxPayloadLength: payloadBound(options.maxInboundBytes),
        // what a session may have when it is closed, the message that was one too many, and a close frame
        maxBackpressure: options.maxUnreadBytes + maxPausedBytes + 2 * maxMessageBytes,
        idleTimeout: options.idleTimeoutSeconds,
        sendPingsAutomatically: true,
        upgrade: (response, request, context) =>
          this.#heads.came(response, request, (read) =>
            this.#guard(
              () => this.#upgrade(response, read, context),
              () => response.close(),
            ),
          ),
        open: this.#opening.open,
        message: (socket, data, isBinary) =>
          this.#guard(() => socket.getUserData().client?.received(data, isBinary)),
        ping: (socket, data) => this.#guard(() => socket.getUserData().client?.controlled(data)),
        pong: (socket, data) => this.#guard(() => socket.getUserData().client?.controlled(data)),
        drain: (socket) => this.#guard(() => socket.getUserData().client?.drained()),
        close: (socket, code, reason) => {
          options.sockets.left();
          const { client } = socket.getUserData();
          if (client === undefined) {
            this.#opening.forget();
            return;
          }
          this.#connections--;
          this.#tokens.delete(client);
          client.closed();
          client.place.leave();
          this.#guard(() => client.session?.gone(code, Buffer.from(reason).toString()));
        },
      })
      .any('/*', (response, request) =>
        this.#heads.came(response, request, (read) => this.#refuseRequest(response, read)),
      );
    this.#heads.follow(app);
  }

  #upgrade(response: HttpResponse, request: HttpRequest, context: us_socket_context_t): void {
    const handshake = readHandshake(request, this.#options.maxHeadBytes);
    if ('wrong' in handshake) {
      const { status, headers, wrong } = handshake;
      if (status === 431) this.#options.counters.limits['head-size']++;
      this.#refuse(response, { ...refusal(status, wrong.code, wrong.message), headers }, 'bad-request');
      return;
    }
    if (!this.#options.takesUpgrades(request.getUrl())) {
      this.#refuse(response, refusal(404, 'not-found', 'no WebSocket is served at this path'), 'not-found');
      return;
    }
    if (this.#refuseWhenClosed(response)) return;
    const { places, trustedProxies, admissions } = this.#options;
    const place = arriveOnLink(response, request, places, trustedProxies);
    if (place instanceof PinwheelError) {
      this.#refuseAtLimit(response, place);
      return;
    }
    const arrival = { response, handshake, context, place };
    this.#guard(
      () => {
        const admission = admissions.admit(requestOfUpgrade(request));
        if (admission instanceof Promise) this.#admitLater(arrival, admission);
        else this.#admitted(arrival, admission);
      },
      () => giveUp(arrival),
    );
  }

  #admitLater(arrival: Arrival, admission: Promise<Admission>): void {
    const { response, place } = arrival;
    let aborted = false;
    response.onAborted(() => {
      aborted = true;
    });
    const finish = (decided: Admission): void => {
      if (aborted) {
        // not before: whoever comes and goes is bounded by what is asked about it
        place.leave();
        this.#options.counters.upgrades['client-left']++;
        return;
      }
      this.#guard(
        () => {
          if (this.#refuseWhenClosed(response)) place.leave();
          else this.#admitted(arrival, decided);
        },
        () => giveUp(arrival),
      );
    };
    // Not in the promise's own turn: that may be within the request of another connection, and uWebSockets.js takes an
    // upgrade that it sees there for that one's.
    void admission.then((decided) => setImmediate(finish, decided));
  }

  /** Whether nobody can be taken, and was told so. */
  #refuseWhenClosed(response: HttpResponse): boolean {
    const closed = this.#options.closedBecause();
    if (closed === undefined) return false;
    this.#refuse(response, notNow('unavailable', closed.why), closed.outcome);
    return true;
  }

  #refuseAtLimit(response: HttpResponse, error: PinwheelError): void {
    const outcome = error.code === 'limit-reached' ? error.code : 'overloaded';
    this.#refuse(response, limited(error), outcome);
  }

  #admitted({ response, handshake, context, place }: Arrival, admission: Admission): void {
    if ('refused' in admission) {
      place.leave();
      this.#refuse(response, admission.refused, admission.outcome);
      return;
    }
    const full = place.belongsTo(admission.user);
    if (full !== undefined) {
      place.leave();
      this.#refuseAtLimit(response, full);
      return;
    }
    const { key, protocol: offered } = handshake;
    const { counters, maxUnreadBytes, core } = this.#options;
    const protocol = chooseProtocol(offered, knownProtocols);
    counters.upgrades.opened++;
    const socket = this.#opening.upgrade(response, { client: undefined }, key, protocol, '', context);
    if (socket === undefined) {
      place.leave();
      return;
    }
    const client = new ClientSocket(admission.user, protocol, maxUnreadBytes, place);
    socket.getUserData().client = client;
    this.#connections++;
    client.opened(socket);
    this.#bindToToken(client, admission.expiresAt);
    client.session = core.open(client.user, protocol === clientProtocol ? 'v1' : 'plain', client);
  }

  #bindToToken(client: ClientSocket, expiresAt: number | undefined): void {
    if (expiresAt === undefined) return;
    this.#tokens.set(client, expiresAt, Date.now());
    client.renewed = (token) => void this.#renew(client, token);
  }

  async #renew(client: ClientSocket, token: string): Promise<void> {
    const { admissions, counters } = this.#options;
    const admission = await admissions.renew?.(token);
    if (admission === undefined || !client.isOpen) return;
    // a connection is one user's for good
    const isGood = 'user' in admission && admission.user === client.user;
    counters.admission.renewals[isGood ? 'renewed' : 'refused']++;
    if (!isGood) return;
    if (admission.expiresAt === undefined) this.#tokens.delete(client);
    else this.#tokens.set(client, admission.expiresAt, Date.now());
  }

  #refuse(response: HttpResponse, refused: Refusal, outcome: UpgradeOutcome): void {
    this.#options.counters.upgrades[outcome]++;
    answerOnLink(response, refused);
  }

  #refuseRequest(response: HttpResponse, request: HttpRequest): void {
    const { takesUpgrades, counters } = this.#options;
    counters.requests['bad-request']++;
    answerOnLink(response, webSocketsOnly(takesUpgrades(request.getUrl())));
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

function giveUp({ response, place }: Arrival): void {
  place.leave();
  response.close();
}
