import { maxMessageBytes, maxUserBytes, PinwheelError } from '@pinwheel/protocol/client';

/** What the application wants to send. */
export type Content =
  | { readonly kind: 'message'; readonly binary: boolean; readonly data: Uint8Array }
  | {
      readonly kind: 'send';
      readonly binary: boolean;
      readonly data: Uint8Array;
      readonly waitForClient: boolean;
      readonly to: string;
    };

const encoder = new TextEncoder();

/** @throws PinwheelError `bad-request` for anything else than text and bytes, `too-large` over 1,048,576 bytes. */
export function messageOf(data: string | Uint8Array): Extract<Content, { kind: 'message' }> {
  const binary = typeof data !== 'string';
  if (binary && !(data instanceof Uint8Array)) {
    throw new PinwheelError('bad-request', `data is ${typeof data}; it must be a string or a Uint8Array`);
  }
  const bytes = binary ? data : encoder.encode(data);
  if (bytes.length > maxMessageBytes) {
    throw new PinwheelError(
      'too-large',
      `data has ${bytes.length} bytes; it must have at most ${maxMessageBytes}`,
    );
  }
  return { kind: 'message', binary, data: bytes };
}

/** @throws PinwheelError as {@link messageOf}, `bad-user`, and `bad-option` for a `wait` that there is not. */
export function sendOf(to: string, data: string | Uint8Array, wait: 'client' | undefined): Content {
  if (typeof to !== 'string' || to === '' || !to.isWellFormed()) {
    throw new PinwheelError('bad-user', 'user must be a string of 1 to 256 bytes that is valid UTF-8');
  }
  if (encoder.encode(to).length > maxUserBytes) {
    throw new PinwheelError('bad-user', `user has more than ${maxUserBytes} bytes`);
  }
  // passed over, it would make `delivered` say more than it does
  if (wait !== undefined && wait !== 'client') {
    throw new PinwheelError('bad-option', `wait is ${JSON.stringify(wait)}; it must be "client" or missing`);
  }
  return { ...messageOf(data), kind: 'send', waitForClient: wait === 'client', to };
}
