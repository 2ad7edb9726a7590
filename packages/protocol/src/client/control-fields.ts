import { maxControlLength, maxU32 } from '../field-bounds.js';
import { PinwheelError } from '../pinwheel-error.js';
import { fitsUtf8 } from './utf8.js';

const maxShown = 80;

/** An object as JSON gives it. */
export type Fields = Readonly<Record<string, unknown>>;

/** @throws PinwheelError `protocol`, as all of these do. */
export function parseControl(text: string): Fields {
  if (text.length > maxControlLength) {
    throw brokenControl(`has ${text.length} characters; it must have at most ${maxControlLength}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw brokenControl('is not JSON', cause);
  }
  return fieldsOf('it', value);
}

export function fieldsOf(name: string, value: unknown): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw brokenControl(`is broken: ${name} is ${shown(value)}; it must be an object`);
}

export function textField(name: string, value: unknown, least: number, most: number): string {
  if (typeof value === 'string' && value.length >= least && fitsUtf8(value, most)) return value;
  throw brokenControl(
    `is broken: ${name} is ${shown(value)}; it must be a text of ${least} to ${most} bytes`,
  );
}

export function numberField(name: string, value: unknown, most = maxU32): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most) return value;
  throw brokenControl(`is broken: ${name} is ${shown(value)}; it must be a whole number from 0 to ${most}`);
}

export function booleanField(name: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw brokenControl(`is broken: ${name} is ${shown(value)}; it must be true or false`);
}

const sessionPattern = /^[A-Za-z0-9_-]{16,64}$/;

/** The name that a client gives its session. */
export function sessionField(value: unknown): string {
  if (typeof value === 'string' && sessionPattern.test(value)) return value;
  throw brokenControl(`is broken: session is ${shown(value)}; it must be 16 to 64 of A–Z a–z 0–9 _ -`);
}

export function unknownControl(type: unknown): PinwheelError {
  return brokenControl(`is of the type ${shown(type)}, which is unknown`);
}

export function brokenControl(what: string, cause?: unknown): PinwheelError {
  return new PinwheelError('protocol', `the control message ${what}`, { cause });
}

/** A value as an error quotes it: nobody's kilobytes are sent back. */
export function shown(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.length > maxShown ? `${value.slice(0, maxShown)}…` : value);
    case 'number':
    case 'boolean':
      return String(value);
    case 'undefined':
      return 'missing';
    default:
      return value === null ? 'null' : Array.isArray(value) ? 'an array' : 'an object';
  }
}
