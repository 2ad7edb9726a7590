import { EventEmitter } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { PinwheelError } from '@pinwheel/protocol';

/** What became of an upgrade sent to a backend. */
export type DialResult =
  /** A valid 101. `backend` is paused, and nobody listens to it: listen before you return. `head` is the 101. */
  | { readonly kind: 'open'; readonly backend: Socket; readonly head: string }
  /** Any other answer; its body is still to be read or destroyed. */
  | { readonly kind: 'answer'; readonly response: IncomingMessage }
  | { readonly kind: 'failed'; readonly failure: DialFailure; readonly error: Error };

/** `unreachable`: the backend got nothing. `broken`: it went away. `bad-handshake`: its 101 is none. */
export type DialFailure = 'unreachable' | 'broken' | 'bad-handshake';

type State =
  | { readonly kind: 'dialling' }
  | { readonly kind: 'upgrading'; readonly backend: Socket; readonly before: Listeners; head: string }
  | { readonly kind: 'settled' };

type Listener = (...args: unknown[]) => void;
type Listeners = { readonly error: readonly Listener[]; readonly end: readonly Listener[] };

/**
 * What node-http-proxy takes for the client's socket during an upgrade. It keeps the real one out of that code's
 * hands: no byte of the client's is read, and none is written to it, before the backend's answer was checked.
 */
export class ClientStandIn extends EventEmitter {
  #state: State = { kind: 'dialling' };
  #request: ClientRequest | undefined;
  readonly #path: string;
  readonly #accept: string;
  readonly #done: (result: DialResult) => void;

  /** @param done called once, unless `abort` comes first. */
  constructor(path: string, accept: string, done: (result: DialResult) => void) {
    super();
    this.#path = path;
    this.#accept = accept;
    this.#done = done;
    this.on('pipe', (source: Readable) => source.unpipe(this as unknown as NodeJS.WritableStream));
  }

  /** The request is made, but not sent. Its listeners are put before node-http-proxy's own. */
  begin(request: ClientRequest): void {
    this.#request = request;
    // as the client wrote it: node-http-proxy parses and joins it anew, and loses double slashes
    request.path = this.#path;
    request.on('upgrade', (response, backend) => this.#upgraded(response, backend as Socket));
    request.on('response', (response) => {
      if (!this.#settle({ kind: 'answer', response })) response.destroy();
    });
  }

  fail(error: Error): void {
    this.#settle({ kind: 'failed', failure: isUnreachable(error) ? 'unreachable' : 'broken', error });
  }

  /** Ends the request; `done` is not called any more. May be called at any time, and twice. */
  abort(): void {
    if (this.#state.kind === 'settled') return;
    this.#state = { kind: 'settled' };
    this.#request?.destroy();
  }

  #upgraded(response: IncomingMessage, backend: Socket): void {
    const wrong = wrongUpgrade(response, this.#accept);
    if (wrong === undefined && this.#state.kind === 'dialling') {
      this.#state = { kind: 'upgrading', backend, before: listenersOf(backend), head: '' };
      return;
    }
    backend.on('error', ignore);
    backend.destroy();
    const error = new PinwheelError('unreachable', `its answer to the upgrade is not valid: ${wrong}`);
    this.#settle({ kind: 'failed', failure: 'bad-handshake', error });
  }

  #settle(result: DialResult): boolean {
    if (this.#state.kind === 'settled') return false;
    this.#state = { kind: 'settled' };
    this.#done(result);
    return true;
  }

  // from here on: what node-http-proxy calls on a client's socket

  /** Takes the head of the 101; anything else that it writes is answered elsewhere. */
  write(text: unknown): boolean {
    if (this.#state.kind === 'upgrading' && typeof text === 'string') this.#state.head += text;
    return true;
  }

  /** The last call of an upgrade that went well. */
  pipe(): void {
    if (this.#state.kind !== 'upgrading') return;
    const { backend, before, head } = this.#state;
    // node-http-proxy's listeners hold the request, both answers and the options for as long as the tunnel lives
    removeAdded(backend, 'error', before.error);
    removeAdded(backend, 'end', before.end);
    backend.pause();
    this.#settle({ kind: 'open', backend, head });
  }

  end(): void {}
  unshift(): void {}
  setTimeout(): void {}
  setNoDelay(): void {}
  setKeepAlive(): void {}
}

function wrongUpgrade(response: IncomingMessage, accept: string): string | undefined {
  if (response.statusCode !== 101) return `status is ${response.statusCode}`;
  if (response.headers.upgrade?.toLowerCase() !== 'websocket') return 'upgrade is not websocket';
  if (response.headers['sec-websocket-accept'] !== accept)
    return 'sec-websocket-accept does not match the key';
  return undefined;
}

/** Failures before anything was sent. */
const unreachable: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EADDRNOTAVAIL',
]);

export function isUnreachable(error: Error): boolean {
  // the same may befall a connection that is open, while something is read or written
  if ('syscall' in error && error.syscall !== 'connect' && error.syscall !== 'getaddrinfo') return false;
  return 'code' in error && typeof error.code === 'string' && unreachable.has(error.code);
}

function listenersOf(socket: Socket): Listeners {
  return { error: socket.rawListeners('error') as Listener[], end: socket.rawListeners('end') as Listener[] };
}

function removeAdded(socket: Socket, event: 'error' | 'end', before: readonly Listener[]): void {
  for (const listener of socket.rawListeners(event) as Listener[]) {
    if (!before.includes(listener)) socket.off(event, listener);
  }
}

function ignore(): void {}
