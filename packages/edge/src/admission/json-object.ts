import { PinwheelError } from '@pinwheel/protocol';

/**
 * A JSON object. Where it is none the error quotes nothing of it: it may be what a client has sent, and errors are logged.
 *
 * @param what is read, for the error.
 * @throws PinwheelError `bad-request`.
 */
export function jsonObject(text: string, what: string): Readonly<Record<string, unknown>> {
  const parsed = parsedOrNothing(text);
  if (typeof parsed === 'object' && parsed !== null) return parsed as Record<string, unknown>;
  throw new PinwheelError('bad-request', `${what} is no JSON object`);
}

function parsedOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
