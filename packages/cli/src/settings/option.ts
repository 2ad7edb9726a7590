import { PinwheelError, withoutSecret } from '@pinwheel/protocol';

/**
 * One option of the command line. It can come from a flag, from the environment (`PINWHEEL_` and the name in capitals)
 * and from the config file (the name in camel case); the first of these that has it counts, then the default.
 */
export interface Option {
  /** In kebab case, as in the flag. */
  readonly name: string;
  readonly kind: OptionKind;
  /** For a person, with the unit. */
  readonly help: string;
  /** What is said in the help when nothing is given; documents a default that the library has. */
  readonly fallback?: string;
  /** What it may look like, for whoever has not given it. */
  readonly examples?: string;
  /** Makes sense for one call only: it comes from neither the environment nor the config file. */
  readonly onlyFlag?: true;
}

export type OptionKind =
  | { readonly type: 'text'; readonly value: string }
  | { readonly type: 'texts'; readonly value: string }
  | { readonly type: 'url'; readonly schemes: readonly string[] }
  | { readonly type: 'urls'; readonly schemes: readonly string[] }
  | { readonly type: 'whole'; readonly least: number; readonly most: number }
  | { readonly type: 'number'; readonly least: number; readonly most: number }
  | { readonly type: 'choice'; readonly choices: readonly string[] }
  | { readonly type: 'flag' };

export type OptionValue = string | number | boolean | readonly string[];

export function text(name: string, value: string, help: string, fallback?: string): Option {
  return option(name, { type: 'text', value }, help, fallback);
}

export function url(name: string, schemes: readonly string[], help: string, fallback?: string): Option {
  return option(name, { type: 'url', schemes }, help, fallback);
}

/** May be given several times. */
export function urls(name: string, schemes: readonly string[], help: string): Option {
  return option(name, { type: 'urls', schemes }, help);
}

/** May be given several times; in the environment the values are separated by commas. */
export function texts(name: string, value: string, help: string, fallback?: string): Option {
  return option(name, { type: 'texts', value }, help, fallback);
}

export function whole(name: string, least: number, most: number, help: string, fallback?: string): Option {
  return option(name, { type: 'whole', least, most }, help, fallback);
}

export function number(name: string, least: number, most: number, help: string, fallback?: string): Option {
  return option(name, { type: 'number', least, most }, help, fallback);
}

export function choice(name: string, choices: readonly string[], help: string, fallback?: string): Option {
  return option(name, { type: 'choice', choices }, help, fallback);
}

export function flag(name: string, help: string): Option {
  return option(name, { type: 'flag' }, help);
}

/** `usersPerSecond` of `users-per-second`. */
export function camelCase(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** `PINWHEEL_USERS_PER_SECOND` of `users-per-second`. */
export function environmentName(name: string): string {
  return `PINWHEEL_${name.toUpperCase().replaceAll('-', '_')}`;
}

/**
 * Reads a value as the option's kind.
 *
 * @param from where it stands, for the error: `--port`, `PINWHEEL_PORT`, `port in FILE`.
 * @throws PinwheelError `bad-option` that names where it stands, the value and the bound.
 */
export function readValue(option: Option, given: unknown, from: string): OptionValue {
  const { kind } = option;
  switch (kind.type) {
    case 'text':
      if (typeof given === 'string' && given !== '') return given;
      throw refuse(from, given, 'a text that is not empty');
    case 'texts':
      return readTexts(given, from);
    case 'url':
      return readUrl(given, from, kind.schemes);
    case 'urls':
      return readTexts(given, from).map((one) => readUrl(one, from, kind.schemes));
    case 'choice':
      if (typeof given === 'string' && kind.choices.includes(given)) return given;
      throw refuse(from, given, `one of: ${kind.choices.join(', ')}`);
    case 'flag':
      if (given === true || given === 'true' || given === '1') return true;
      if (given === false || given === 'false' || given === '0') return false;
      throw refuse(from, given, 'true or false');
    case 'whole':
    case 'number':
      return readNumber(kind, given, from);
    default:
      throw new TypeError(`unknown kind of option ${kind satisfies never}`);
  }
}

function readTexts(given: unknown, from: string): readonly string[] {
  const list = typeof given === 'string' ? given.split(',') : given;
  if (Array.isArray(list) && list.length > 0 && list.every((one) => typeof one === 'string' && one !== '')) {
    return list as readonly string[];
  }
  throw refuse(from, given, 'one or more texts');
}

function readUrl(given: unknown, from: string, schemes: readonly string[]): string {
  const known = typeof given === 'string' && URL.canParse(given) && schemes.includes(new URL(given).protocol);
  if (known) return given as string;
  const shown = typeof given === 'string' ? withoutSecret(given) : given;
  throw refuse(from, shown, `a URL that begins with ${schemes.map((scheme) => `${scheme}//`).join(' or ')}`);
}

function readNumber(kind: Extract<OptionKind, { least: number }>, given: unknown, from: string): number {
  const value = typeof given === 'string' && given.trim() !== '' ? Number(given) : given;
  const wanted = kind.type === 'whole' ? 'a whole number' : 'a number';
  const fits = typeof value === 'number' && value >= kind.least && value <= kind.most;
  if (fits && (kind.type === 'number' || Number.isInteger(value))) return value;
  throw refuse(from, given, `${wanted} between ${kind.least} and ${kind.most}`);
}

function refuse(from: string, given: unknown, wanted: string): PinwheelError {
  return new PinwheelError('bad-option', `${from} is ${JSON.stringify(given)}; it must be ${wanted}`);
}

function option(name: string, kind: OptionKind, help: string, fallback?: string): Option {
  return fallback === undefined ? { name, kind, help } : { name, kind, help, fallback };
}
