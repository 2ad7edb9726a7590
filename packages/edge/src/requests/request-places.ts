import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BlockList, Socket } from 'node:net';
import type { PinwheelError } from '@pinwheel/protocol';
import { type ConnectionLimits, Place } from '@pinwheel/server';
import { arriveOnServer } from '../limits/arrive.js';

/**
 * Places for plain requests, among those of the connections. One is left when its answer is over, since its connection may
 * stay for others, or with the connection: an answer that waits behind another is not told of that end.
 */
export class RequestPlaces {
  readonly #places: ConnectionLimits;
  readonly #trusted: BlockList | undefined;
  readonly #patienceMs: number;
  readonly #bySocket = new WeakMap<Socket, Set<ServerResponse>>();

  /** @param patienceMs how long a client may take nothing of the end of its answer, in ms. */
  constructor(places: ConnectionLimits, trusted: BlockList | undefined, patienceMs: number) {
    this.#places = places;
    this.#trusted = trusted;
    this.#patienceMs = patienceMs;
  }

  /** A place until the answer is over, or why there is none. */
  arrive(request: IncomingMessage, response: ServerResponse): Place | PinwheelError {
    const place = arriveOnServer(request, this.#places, this.#trusted);
    if (!(place instanceof Place)) return place;
    const ofSocket = this.#of(request.socket);
    ofSocket.add(response);
    response.once('close', () => {
      ofSocket.delete(response);
      place.leave();
    });
    // from here on nobody else looks whether the client reads
    response.once('prefinish', () => this.#followLast(request.socket, response));
    return place;
  }

  #followLast(socket: Socket, response: ServerResponse): void {
    if (response.writableFinished) return;
    let left = socket.writableLength;
    const timer = setInterval(() => {
      const before = left;
      left = socket.writableLength;
      if (left >= before) socket.destroy(new Error('the client does not read its answer'));
    }, this.#patienceMs).unref();
    for (const over of ['finish', 'close']) response.once(over, () => clearInterval(timer));
  }

  /** One listener for a connection, however many requests wait on it. */
  #of(socket: Socket): Set<ServerResponse> {
    const known = this.#bySocket.get(socket);
    if (known !== undefined) return known;
    const waiting = new Set<ServerResponse>();
    this.#bySocket.set(socket, waiting);
    socket.once('close', () => {
      for (const response of waiting) {
        // Node.js tells only the one whose turn it is
        if (response.socket === null) response.destroy().emit('close');
      }
    });
    return waiting;
  }
}
