import { decodeUserId, headers, PinwheelError } from '@pinwheel/protocol';
import { type Handshake, type HttpRequest, readHandshake, readQueryUser } from '@pinwheel/server';

/** What is read of an upgrade request; nothing of it can be read later. */
export interface UpgradeRequest extends Handshake {
  readonly user: string;
  readonly edge: string | undefined;
  /** Of the ring by which the edge chose this node. */
  readonly fingerprint: string | undefined;
}

const headerText = /^[\x20-\x7e]{1,128}$/;

/** @throws PinwheelError that says what is wrong with it. */
export function readUpgrade(request: HttpRequest): UpgradeRequest {
  const handshake = readHandshake(request);
  if ('wrong' in handshake) throw handshake.wrong;
  return {
    ...handshake,
    user: readUser(request),
    edge: readText(request, headers.edge),
    fingerprint: readText(request, headers.fingerprint),
  };
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
