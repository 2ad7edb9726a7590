import { isUtf8 } from 'node:buffer';
import { type Message, maxMessageBytes, PinwheelError } from '@pinwheel/protocol';
import type { Exchange } from './exchange.js';

const textTypes = /^(text\/|application\/json)/i;

/**
 * The body as the payload of a message: text when the content type says so, else binary. To be called before the
 * handler first returns.
 *
 * @throws PinwheelError (rejects) `bad-request` for text that is not UTF-8, and as `readBody` does.
 */
export async function readPayload(exchange: Exchange): Promise<Pick<Message, 'data' | 'binary'>> {
  const isText = textTypes.test(exchange.contentType);
  const data = await exchange.readBody(maxMessageBytes);
  if (isText && !isUtf8(data)) {
    throw new PinwheelError('bad-request', `the body is ${exchange.contentType} but not valid UTF-8`);
  }
  return { data, binary: !isText };
}
