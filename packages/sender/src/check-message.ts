import { Buffer, isUtf8 } from 'node:buffer';
import { isMessageId, maxMessageBytes, PinwheelError } from '@pinwheel/protocol';

/** @throws PinwheelError `bad-request`. */
export function checkId(id: string): string {
  if (isMessageId(id)) return id;
  throw new PinwheelError(
    'bad-request',
    `id is ${JSON.stringify(id)}; it must be 1 to 64 printable ASCII characters`,
  );
}

/**
 * Whether the receipt waits for the client.
 *
 * @param whyNot why no receipt can.
 * @throws PinwheelError `bad-option`.
 */
export function checkWait(wait: unknown, whyNot: string | undefined): boolean {
  if (wait === undefined) return false;
  if (wait === 'client') {
    if (whyNot === undefined) return true;
    throw new PinwheelError('bad-option', `wait is "client"; it must be missing, as ${whyNot}`);
  }
  throw new PinwheelError('bad-option', `wait is ${JSON.stringify(wait)}; it must be "client" or missing`);
}

/**
 * Whether clients get a binary frame. What a node would refuse is refused here: it would take its batch with it.
 *
 * @throws PinwheelError `bad-request`, `too-large`.
 */
export function checkData(data: unknown, wanted: boolean | undefined): boolean {
  const bytes =
    typeof data === 'string' ? textBytes(data) : data instanceof Uint8Array ? data.length : undefined;
  if (bytes === undefined) {
    throw new PinwheelError('bad-request', `data is ${typeof data}; it must be a string or a Uint8Array`);
  }
  if (bytes > maxMessageBytes) {
    throw new PinwheelError('too-large', `data has ${bytes} bytes; it must have at most ${maxMessageBytes}`);
  }
  // as bytes a lone surrogate would be another text
  if (typeof data === 'string' && !data.isWellFormed())
    throw new PinwheelError('bad-request', 'data has a lone surrogate; it must be valid UTF-8');
  const binary = wanted ?? typeof data !== 'string';
  if (!binary && data instanceof Uint8Array && !isUtf8(data)) {
    throw new PinwheelError('bad-request', 'data goes as text and is not valid UTF-8');
  }
  return binary;
}

/** Exact only where it matters: a UTF-16 unit takes at most three bytes. */
function textBytes(text: string): number {
  return text.length * 3 <= maxMessageBytes ? text.length : Buffer.byteLength(text);
}
