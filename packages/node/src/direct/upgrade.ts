import { clientProtocol, decodeUserId, headers, PinwheelError } from '@pinwheel/protocol';
import {
  type Handshake,
  type HttpRequest,
  readHandshake,
  readQueryUser,
  type WrongHandshake,
} from '@pinwheel/server';

/** What is read of an upgrade request; nothing of it can be read later. */
export interface UpgradeRequest extends Handshake {
  readonly user: string;
  readonly edge: string | undefined;
  /** Of the ring by which the edge chose this node. */
  readonly fingerprint: string | undefined;
}

const headerText = /^[\x20-\x7e]{1,128}$/;

/** @throws PinwheelError that says what is wrong with it, beside the handshake. */
export function readUpgrade(request: HttpRequest, maxHeadBytes?: number): UpgradeRequest | WrongHandshake {
  const handshake = readHandshake(request, maxHeadBytes);
  if ('wrong' in handshake) return handshake;
  return {
    ...handshake,
    protocol: plainProtocols(handshake.protocol),
    user: readUser(request),
    edge: readText(request, headers.edge),
    fingerprint: readText(request, headers.fingerprint),
  };
}

/**
 * The subprotocols that are offered without the one that edges speak to clients and this port does not.
 *
 * @throws PinwheelError when nothing else is offered.
 */
function plainProtocols(offered: string): string {
  const names = offered.split(',').map((name) => name.trim());
  if (!names.includes(clientProtocol)) return offered;
  const others = names.filter((name) => name !== clientProtocol);
  if (others.some((name) => !name.startsWith('bearer.'))) return others.join(', ');
  throw new PinwheelError(
    'bad-request',
    `this port does not speak ${clientProtocol}; connect through an edge with --upstream link, or offer pinwheel.raw`,
  );
}

/** From the header that an edge sets, else from `?user=`. */
function readUser(request: HttpRequest): string {
  const named = request.getHeader(headers.user);
  if (named !== '') return decodeUserId(named);
  const user = readQueryUser(request);
  if (user !== undefined) return user;
  throw new PinwheelError(
    'bad-user',
    `the user is missing; give it as ?user= or in the header ${headers.user}`,
  );
}

function readText(request: HttpRequest, name: string): string | undefined {
  const value = request.getHeader(name);
  return headerText.test(value) ? value : undefined;
}
