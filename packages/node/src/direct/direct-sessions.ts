import { systemClock } from '@pinwheel/membership';
import { closeCodes, closeReasonOf, headers, maxMessageBytes, PinwheelError } from '@pinwheel/protocol';
import {
  ClientPort,
  type ConnectionLimits,
  chooseProtocol,
  type Heads,
  type HttpRequest,
  type HttpResponse,
  noCompression,
  Opening,
  type OpenSockets,
  openHeads,
  Place,
  statusLineOf,
  type TemplatedApp,
  type us_socket_context_t,
  type WebSocket,
  type WrongHandshake,
} from '@pinwheel/server';
import type { CertificateSource } from '@pinwheel/trust';
import type { Inbound } from '../application/inbound.js';
import type { NodeCounters } from '../counters/node-counters.js';
import type { Admission } from './admission.js';
import { DirectSession, type DirectSessionEvents, type DirectSocketData } from './direct-session.js';
import { readUpgrade, type UpgradeRequest } from './upgrade.js';

export interface DirectSessionsOptions {
  readonly admission: Admission;
  /** Throws for an upgrade that is not taken: by the node as it is, or as no process of this service has made it. */
  readonly check: (request: HttpRequest) => void;
  readonly places: ConnectionLimits;
  readonly sockets: OpenSockets;
  readonly inbound: Inbound;
  readonly counters: NodeCounters;
  readonly newId: () => string;
  readonly headTimeoutMs: number;
  /** Of an upgrade. */
  readonly maxHeadBytes: number;
  readonly maxInboundBytes: number;
  readonly maxUnreadBytes: number;
  /** A session that has taken nothing for so long is closed. */
  readonly stalledMs: number;
  readonly idleTimeoutSeconds: number;
  readonly tls: CertificateSource | undefined;
  /** Its user is held here from now on; `false` when that cannot be: the user has moved on since the upgrade was admitted. */
  readonly opened: (session: DirectSession) => boolean;
  /** A session of that user that was admitted does not come to be. */
  readonly leftAlone: (user: string) => void;
  readonly closed: (session: DirectSession, code: number, reason: string) => void;
}

/** Above the bound of a session, for the last message that it took and a close frame. */
const socketSlackBytes = 2 * maxMessageBytes;

/** Messages over the session's bound but not this one reach the handler, which can say what is wrong with them. */
function payloadBound(maxInboundBytes: number): number {
  return Math.max(4 * maxInboundBytes, maxMessageBytes);
}

/** The WebSocket server of a node: takes clients, most of them through tunnels, and makes sessions of them. */
export class DirectSessions {
  readonly port: ClientPort;
  readonly #options: DirectSessionsOptions;
  readonly #heads: Heads;
  readonly #events: DirectSessionEvents;
  readonly #stalled = new Set<DirectSession>();
  /** Over for everybody else; their clients read what is left. */
  readonly #unread = new Set<DirectSession>();
  #size = 0;
  readonly #opening = new Opening<DirectSocketData>();
  readonly #stallTimer: NodeJS.Timeout;

  constructor(options: DirectSessionsOptions) {
    this.#options = options;
    this.#events = {
      stalled: (session) => this.#stalled.add(session),
      unread: (session, code, reason) => {
        this.#unread.add(session);
        this.#over(session, code, reason);
      },
    };
    this.#heads = openHeads(options.headTimeoutMs, () => options.counters.limits['head-time']++);
    this.port = new ClientPort((app) => this.#serve(app), options.tls, options.sockets);
    this.#stallTimer = setInterval(() => this.#closeStalled(), Math.min(1000, options.stalledMs)).unref();
  }

  /** Sockets that are open. */
  get size(): number {
    return this.#size;
  }

  /** Closed sessions whose client has not read everything that was written to it. */
  get unread(): number {
    return this.#unread.size;
  }

  /** Cuts every socket. */
  close(): void {
    clearInterval(this.#stallTimer);
    this.#heads.close();
    this.port.close();
  }

  #serve(app: TemplatedApp): void {
    const options = this.#options;
    app
      .ws<DirectSocketData>('/*', {
        compression: noCompression,
        maxPayloadLength: payloadBound(options.maxInboundBytes),
        maxBackpressure: options.maxUnreadBytes + socketSlackBytes,
        idleTimeout: options.idleTimeoutSeconds,
        upgrade: (response, request, context) =>
          this.#heads.came(response, request, (read) => this.#upgrade(response, read, context)),
        open: this.#opening.open,
        message: (socket, data, isBinary) => {
          const { session } = socket.getUserData();
          if (!mayCome(session, data)) return;
          if (data.byteLength > options.maxInboundBytes) {
            options.counters.inboundRefused++;
            session.close(closeCodes.tooLarge, closeCodes.tooLarge.reason);
            return;
          }
          // the bytes are gone when this returns
          const copy = isBinary ? Buffer.from(data.slice(0)) : Buffer.from(data).toString('utf8');
          options.inbound.received(session, copy);
        },
        ping: (socket, data) => controlled(socket, data),
        pong: (socket, data) => controlled(socket, data),
        drain: (socket) => {
          const session = socket.getUserData().session!;
          session.drained();
          this.#stalled.delete(session);
        },
        close: (socket, code, reason) => {
          options.sockets.left();
          const { session } = socket.getUserData();
          if (session === undefined) {
            this.#opening.forget();
            return;
          }
          this.#size--;
          session.gone();
          session.place.leave();
          // one that was waiting for its client is over already
          if (!this.#unread.delete(session)) this.#over(session, code, Buffer.from(reason).toString('utf8'));
        },
      })
      .any('/*', (response, request) =>
        this.#heads.came(response, request, () => refusePlainRequest(response)),
      );
    this.#heads.follow(app);
  }

  #upgrade(response: HttpResponse, request: HttpRequest, context: us_socket_context_t): void {
    const read = readOrError(() => {
      this.#options.check(request);
      return readUpgrade(request, this.#options.maxHeadBytes);
    });
    let aborted = false;
    response.onAborted(() => {
      aborted = true;
    });
    if (read instanceof Error) {
      this.#refuse(response, read);
      return;
    }
    if ('wrong' in read) {
      this.#refuse(response, read.wrong, read);
      return;
    }
    const place = this.#options.places.arrive();
    if (!(place instanceof Place)) {
      this.#refuse(response, place);
      return;
    }
    const finish = (refusal: PinwheelError | undefined, owner?: string): void => {
      const why = aborted ? undefined : (refusal ?? place.belongsTo(read.user));
      if (!aborted && why === undefined) {
        this.#accept(response, read, context, place);
        return;
      }
      place.leave();
      // perhaps the user was made for this session alone
      this.#options.leftAlone(read.user);
      if (why === undefined) return;
      this.#refuse(response, why, owner === undefined ? {} : { headers: { [headers.owner]: owner } });
    };
    const admitted = this.#options.admission.admit(read);
    // Not in the promise's own turn: that may be within the request of another connection, and uWebSockets.js takes an
    // upgrade that it sees there for that one's.
    if (admitted instanceof Promise)
      void admitted.then(({ refusal, owner }) => setImmediate(finish, refusal, owner));
    else finish(admitted.refusal, admitted.owner);
  }

  #accept(
    response: HttpResponse,
    { user, edge, key, protocol, extensions }: UpgradeRequest,
    context: us_socket_context_t,
    place: Place,
  ): void {
    const { counters, newId, maxUnreadBytes, opened, inbound } = this.#options;
    counters.upgradesAccepted++;
    const data: DirectSocketData = { user, edge, session: undefined };
    const chosen = chooseProtocol(protocol, ['pinwheel.raw']);
    const socket = this.#opening.upgrade(response, data, key, chosen, extensions, context);
    if (socket === undefined) {
      place.leave();
      this.#options.leftAlone(user);
      return;
    }
    const session = new DirectSession(newId(), socket, counters, maxUnreadBytes, this.#events, place);
    socket.getUserData().session = session;
    this.#size++;
    if (opened(session)) {
      if (session.isOpen) inbound.connected(session);
      return;
    }
    inbound.neverBegins(session);
    session.close(closeCodes.moved, closeReasonOf(0));
  }

  /** `answer`: the status if it is not the refusal's own, and headers beside the usual ones. */
  #refuse(response: HttpResponse, refusal: PinwheelError, answer: Partial<WrongHandshake> = {}): void {
    this.#options.counters.upgradesRefused++;
    const status = answer.status ?? refusal.httpStatus;
    response.cork(() => {
      response.writeStatus(statusLineOf(status)).writeHeader('content-type', 'application/json');
      for (const [name, value] of Object.entries(answer.headers ?? {})) response.writeHeader(name, value);
      if (status === 503 || status === 429) response.writeHeader('retry-after', '1');
      response.end(JSON.stringify(refusal), true);
    });
  }

  #over(session: DirectSession, code: number, reason: string): void {
    const { counters, closed, inbound } = this.#options;
    const name = session.closedBy;
    this.#stalled.delete(session);
    counters.closes.set(name, (counters.closes.get(name) ?? 0) + 1);
    closed(session, code, reason);
    inbound.disconnected(session, code, reason);
  }

  #closeStalled(): void {
    const { stalledMs, idleTimeoutSeconds } = this.#options;
    const unreadBefore = systemClock.now() - idleTimeoutSeconds * 1000;
    for (const session of this.#unread) session.finish(unreadBefore);
    const since = systemClock.now() - stalledMs;
    for (const session of this.#stalled) {
      if (session.stalledSince > 0 && session.stalledSince <= since) {
        session.close(closeCodes.tooSlow, closeCodes.tooSlow.reason);
      }
    }
  }
}

/** Whether its session is open and within its rate; one that is not is closed. */
function mayCome(session: DirectSession | undefined, data: ArrayBuffer): session is DirectSession {
  if (session === undefined || !session.isOpen) return false;
  if (session.place.sent(1, data.byteLength)) return true;
  session.close(closeCodes.rateExceeded, closeCodes.rateExceeded.reason);
  return false;
}

function controlled(socket: WebSocket<DirectSocketData>, data: ArrayBuffer): void {
  const { session } = socket.getUserData();
  if (mayCome(session, data)) session.controlled();
}

function refusePlainRequest(response: HttpResponse): void {
  response.cork(() => {
    response.writeStatus('426 Upgrade Required').writeHeader('upgrade', 'websocket');
    // what a client sent behind the request is not read
    response.end('{"error":{"code":"bad-request","message":"this port takes WebSockets only"}}', true);
  });
}

function readOrError<Read>(read: () => Read): Read | PinwheelError {
  try {
    return read();
  } catch (thrown) {
    return PinwheelError.from(thrown);
  }
}
