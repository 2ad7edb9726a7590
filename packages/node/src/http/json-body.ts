import { PinwheelError } from '@pinwheel/protocol';
import type { z } from 'zod';
import type { Exchange } from './exchange.js';

/**
 * Reads a JSON body of a known shape.
 *
 * @param shape its messages are what a value must be: `a whole number between 1 and 9`.
 * @throws PinwheelError (rejects) `bad-request` that names the field, the value and what it must be.
 */
export async function readJson<Shape extends z.ZodObject>(
  exchange: Exchange,
  shape: Shape,
  maxBytes: number,
): Promise<z.infer<Shape>> {
  const body = await exchange.readBody(maxBytes);
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8') || '{}');
  } catch (cause) {
    throw new PinwheelError('bad-request', 'the body is not JSON', { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new PinwheelError('bad-request', `the body is ${shown(value)}; it must be an object`);
  }
  const parsed = shape.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(shape.shape).join(', ');
    throw new PinwheelError('bad-request', `unknown field ${shown(issue.keys[0])}; known: ${known}`);
  }
  const found = shown(at(value, issue.path));
  throw new PinwheelError('bad-request', `${issue.path.join('.')} is ${found}; it must be ${issue.message}`);
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Readonly<Record<PropertyKey, unknown>>)[key], value);
}

const shownCharacters = 80;

/** The caller's own megabytes are not sent back. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value === 'string') return JSON.stringify(value.slice(0, shownCharacters));
  return value === undefined ? 'missing' : String(value);
}
