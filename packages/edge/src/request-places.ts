import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BlockList, Socket } from 'node:net';
import type { PinwheelError } from '@pinwheel/protocol';
import { type ConnectionLimits, Place } from '@pinwheel/server';
import { arriveOnServer } from './limits/arrive.js';

/**
 * Places for plain requests, among those of the connections. One is left when its answer is over, since its connection may
 * stay for others, or with the connection: an answer that waits behind another is not told of that end.
 */
export class RequestPlaces {
  readonly #places: ConnectionLimits;
  readonly #trusted: BlockList | undefined;
  readonly #bySocket = new WeakMap<Socket, Set<Place>>();

  constructor(places: ConnectionLimits, trusted: BlockList | undefined) {
    this.#places = places;
    this.#trusted = trusted;
  }

  /** A place until the answer is over, or why there is none. */
  arrive(request: IncomingMessage, response: ServerResponse): Place | PinwheelError {
    const place = arriveOnServer(request, this.#places, this.#trusted);
    if (!(place instanceof Place)) return place;
    const ofSocket = this.#of(request.socket);
    ofSocket.add(place);
    response.once('close', () => {
      ofSocket.delete(place);
      place.leave();
    });
    return place;
  }

  /** One listener for a connection, however many requests wait on it. */
  #of(socket: Socket): Set<Place> {
    const known = this.#bySocket.get(socket);
    if (known !== undefined) return known;
    const places = new Set<Place>();
    this.#bySocket.set(socket, places);
    socket.once('close', () => {
      for (const place of places) place.leave();
    });
    return places;
  }
}
