import { Buffer } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { BlockList } from 'node:net';
import type { PinwheelError } from '@pinwheel/protocol';
import { type ConnectionLimits, type HttpRequest, type HttpResponse, Place } from '@pinwheel/server';
import { addressKey, clientAddress } from './client-address.js';

/** A place for an upgrade of node:http; it is left when the client's socket is closed. */
export function arrive(
  request: IncomingMessage,
  places: ConnectionLimits,
  trusted: BlockList | undefined,
): Place | PinwheelError {
  const place = arriveOnServer(request, places, trusted);
  if (place instanceof Place) request.socket.once('close', () => place.leave());
  return place;
}

/** A place for a request of node:http; whoever has it leaves it. */
export function arriveOnServer(
  { socket, headers }: IncomingMessage,
  places: ConnectionLimits,
  trusted: BlockList | undefined,
): Place | PinwheelError {
  if (!places.countsAddresses) return places.arrive();
  const forwardedFor = String(headers['x-forwarded-for'] ?? '');
  return places.arrive(addressKey(clientAddress(socket.remoteAddress ?? '', forwardedFor, trusted)));
}

/** A place for an upgrade of uWebSockets.js; whoever has it leaves it. To be called before the handler first returns. */
export function arriveOnLink(
  response: HttpResponse,
  request: HttpRequest,
  places: ConnectionLimits,
  trusted: BlockList | undefined,
): Place | PinwheelError {
  if (!places.countsAddresses) return places.arrive();
  const peer = Buffer.from(response.getRemoteAddressAsText()).toString();
  return places.arrive(addressKey(clientAddress(peer, linesOf(request, 'x-forwarded-for'), trusted)));
}

/** All lines of a header, joined; uWebSockets.js gives the first one only. */
function linesOf(request: HttpRequest, wanted: string): string {
  const lines: string[] = [];
  request.forEach((name, value) => {
    if (name === wanted) lines.push(value);
  });
  return lines.join();
}
