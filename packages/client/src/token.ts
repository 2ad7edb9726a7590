import { clientProtocol, maxTokenBytes, PinwheelError } from '@pinwheel/protocol/client';

/** What an HTTP header, and with it a WebSocket's constructor, takes as one subprotocol. */
const subprotocolPattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * The subprotocols to offer, with the token among them: a browser can send it in no other header.
 *
 * @throws PinwheelError `bad-option` for a token that cannot travel so; it does not repeat the token.
 */
export function protocolsWith(token: string | undefined): string[] {
  return token === undefined ? [clientProtocol] : [clientProtocol, `bearer.${checkedToken(token)}`];
}

/** @throws PinwheelError `bad-option` as above. */
export function checkedToken(token: unknown): string {
  if (typeof token !== 'string' || token.length > maxTokenBytes || !subprotocolPattern.test(token)) {
    throw new PinwheelError(
      'bad-option',
      `token must be 1 to ${maxTokenBytes} letters, digits and !#$%&'*+-.^_\`|~, as a JWT is; use base64url for bytes`,
    );
  }
  return token;
}
