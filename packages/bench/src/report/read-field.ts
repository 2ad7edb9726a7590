import { PinwheelError } from '@pinwheel/protocol';

/** Takes what came from outside as a `T`, or throws PinwheelError `bad-request` that names the field by its path. */
export type ReadField<T> = (value: unknown, path: string) => T;

type OptionalKey<T> = { [K in keyof T]-?: object extends Pick<T, K> ? K : never }[keyof T];
type Required<T> = { readonly [K in Exclude<keyof T, OptionalKey<T>>]: ReadField<T[K]> };
type Optional<T> = { readonly [K in OptionalKey<T>]-?: ReadField<Exclude<T[K], undefined>> };

/** A finite number between 0 and `most`. */
export function amount(most = 1e15): ReadField<number> {
  return (value, path) => {
    if (typeof value === 'number' && value >= 0 && value <= most) return value;
    throw badField(path, value, `a number between 0 and ${most}`);
  };
}

export function whole(least = 0, most = Number.MAX_SAFE_INTEGER): ReadField<number> {
  return (value, path) => {
    if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most)
      return value as number;
    throw badField(path, value, `a whole number between ${least} and ${most}`);
  };
}

/** 1 to `longest` characters. */
export function words(longest = 1000): ReadField<string> {
  return (value, path) => {
    if (typeof value === 'string' && value.length > 0 && value.length <= longest) return value;
    throw badField(path, value, `a text of 1 to ${longest} characters`);
  };
}

export function oneOf<T extends string>(known: readonly T[]): ReadField<T> {
  return (value, path) => {
    const found = known.find((one) => one === value);
    if (found !== undefined) return found;
    throw badField(path, value, `one of ${known.join(', ')}`);
  };
}

export function list<T>(item: ReadField<T>, longest: number): ReadField<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw badField(path, value, 'a list');
    if (value.length > longest) {
      throw new PinwheelError('bad-request', `${path} has ${value.length} items; it may have ${longest}`);
    }
    return value.map((one, i) => item(one, `${path}[${i}]`));
  };
}

/** Fields that are not known are left out: a later version may have written them. */
export function record<T>(required: Required<T>, optional: Optional<T>): ReadField<T> {
  const needed = Object.entries(required) as readonly (readonly [string, ReadField<unknown>])[];
  const others = Object.entries(optional) as readonly (readonly [string, ReadField<unknown>])[];
  return (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw badField(path === '' ? 'the comparison' : path, value, 'an object');
    }
    const given = new Map<string, unknown>(Object.entries(value));
    const below = (name: string) => (path === '' ? name : `${path}.${name}`);
    const there = others.filter(([name]) => given.has(name));
    const read = [...needed, ...there].map(([name, field]) => {
      if (!given.has(name)) throw new PinwheelError('bad-request', `${below(name)} is missing`);
      return [name, field(given.get(name), below(name))] as const;
    });
    return Object.fromEntries(read) as T;
  };
}

export function badField(path: string, value: unknown, must: string): PinwheelError {
  const shown = (JSON.stringify(value) ?? String(value)).slice(0, 80);
  return new PinwheelError('bad-request', `${path} is ${shown}; it must be ${must}`);
}
