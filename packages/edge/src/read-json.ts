import type { IncomingMessage } from 'node:http';
import { PinwheelError } from '@pinwheel/protocol';

const maxBodyBytes = 65_536;

/**
 * The body of a request as JSON.
 *
 * @throws PinwheelError `too-large` over 64 KiB, `bad-request` for what is not JSON.
 */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) {
      throw new PinwheelError('too-large', `the body has more than ${maxBodyBytes} bytes`);
    }
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch (cause) {
    throw new PinwheelError('bad-request', 'the body is not JSON', { cause });
  }
}
