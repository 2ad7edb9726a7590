import type { Place, WebSocket } from '@pinwheel/server';
import type { TokenBearer } from '../admission/token-lives.js';
import type { EdgeSession } from '../link/edge-session.js';
import type { ClientPort } from '../link/edge-world.js';

/** What the upgrade hands to the opened socket. */
export interface ClientSocketData {
  /** Until the upgrade is over it has none. */
  client: ClientSocket | undefined;
}

/** What a send says when everything has left. */
const sentAll = 1;

/** A client's socket in uWebSockets.js, as its session writes to it. */
export class ClientSocket implements ClientPort, TokenBearer {
  readonly user: string;
  readonly protocol: string;
  readonly place: Place;
  session: EdgeSession | undefined;
  /** A new token has come; set where clients have tokens. */
  renewed?: (token: string) => void;
  readonly #maxUnreadBytes: number;
  #socket: WebSocket<ClientSocketData> | undefined;

  constructor(user: string, protocol: string, maxUnreadBytes: number, place: Place) {
    this.user = user;
    this.protocol = protocol;
    this.place = place;
    this.#maxUnreadBytes = maxUnreadBytes;
  }

  get isOpen(): boolean {
    return this.#socket !== undefined;
  }

  opened(socket: WebSocket<ClientSocketData>): void {
    this.#socket = socket;
  }

  askForToken(): void {
    this.session?.askForToken();
  }

  tokenEnded(): void {
    this.session?.close('token-expired');
  }

  /** The socket is gone, whoever closed it: any use of it would throw. */
  closed(): void {
    this.#socket = undefined;
  }

  received(data: ArrayBuffer, binary: boolean): void {
    if (this.place.sent(1, data.byteLength)) this.session?.received(new Uint8Array(data), binary);
    else this.session?.close('rate-exceeded');
  }

  /** A ping or a pong, which uWebSockets.js has answered already: the session hears of what is too much for it. */
  controlled(data: ArrayBuffer): void {
    if (!this.place.sent(1, data.byteLength)) this.session?.close('rate-exceeded');
    else if ((this.#socket?.getBufferedAmount() ?? 0) > this.#maxUnreadBytes) this.session?.full();
  }

  /** It has taken something that it held. */
  drained(): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    if (socket.getBufferedAmount() <= this.#maxUnreadBytes / 2) this.session?.drained();
    else this.session?.reading();
  }

  write(data: Uint8Array | string, binary: boolean): boolean {
    const socket = this.#socket;
    if (socket === undefined) return true;
    return socket.send(data, binary, false) === sentAll || socket.getBufferedAmount() <= this.#maxUnreadBytes;
  }

  cork(write: () => void): void {
    this.#socket?.cork(write);
  }

  close(code: number, reason: string): void {
    this.#socket?.end(code, reason);
  }
}
