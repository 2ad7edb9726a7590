import { PinwheelError } from '@pinwheel/protocol';
import type { z } from 'zod';
import type { Exchange } from './exchange.js';

/**
 * Reads a JSON body of a known shape.
 *
 * @throws PinwheelError (rejects) `bad-request` that names the field and what it must be.
 */
export async function readJson<T>(exchange: Exchange, shape: z.ZodType<T>, maxBytes: number): Promise<T> {
  const body = await exchange.readBody(maxBytes);
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8') || '{}');
  } catch (cause) {
    throw new PinwheelError('bad-request', 'the body is not JSON', { cause });
  }
  const parsed = shape.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new PinwheelError('bad-request', `${issue.path.join('.') || 'the body'}: ${issue.message}`);
}
