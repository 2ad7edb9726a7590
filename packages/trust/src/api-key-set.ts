import { Buffer } from 'node:buffer';
import { PinwheelError } from '@pinwheel/protocol';
import { type ApiKey, type ApiScope, apiScopes, isApiKeyId } from './api-key.js';
import { type KeyEntriesKind, keyEntriesIn } from './key-entries.js';

/** Each has its own numbers in the metrics. */
export const maxApiKeys = 256;
const maxPerSecond = 1_000_000;
const hashPattern = /^[0-9a-f]{64}$/i;
const entries: KeyEntriesKind = {
  least: 0,
  most: maxApiKeys,
  must: `it must be {"keys":[{"id","hash","scopes"},…]} with at most ${maxApiKeys} keys`,
  bad,
};
const known = ['id', 'hash', 'scopes', 'sendsPerSecond', 'burst', 'expiresAt'];

/** The API keys that a process knows. Immutable. */
export class ApiKeySet {
  readonly #byId: ReadonlyMap<string, ApiKey>;

  private constructor(byId: ReadonlyMap<string, ApiKey>) {
    this.#byId = byId;
  }

  /**
   * Reads `{"keys":[{"id","hash","scopes","sendsPerSecond"?,"burst"?,"expiresAt"?},…]}`. `hash` is the SHA-256 of the
   * secret in hex; `expiresAt` is a time in ISO 8601, or ms since 1970.
   *
   * @throws PinwheelError `bad-option` that names the key and the field.
   */
  static parse(text: string): ApiKeySet {
    const byId = new Map<string, ApiKey>();
    const hashes = new Set<string>();
    for (const entry of keyEntriesIn(text, entries)) {
      const key = keyIn(entry);
      if (byId.has(key.id)) throw bad(`the key ${key.id} is there twice`);
      const hash = key.hash.toString('hex');
      if (hashes.has(hash)) throw bad(`the hash of key ${key.id} is that of another key, too`);
      hashes.add(hash);
      byId.set(key.id, key);
    }
    return new ApiKeySet(byId);
  }

  get(id: string): ApiKey | undefined {
    return this.#byId.get(id);
  }

  get ids(): readonly string[] {
    return [...this.#byId.keys()];
  }
}

/** Where the API keys of the moment are; they change while a process runs. */
export interface ApiKeySource {
  readonly current: ApiKeySet;
}

/** @throws PinwheelError `bad-option` for a list that is empty or names a scope that there is not. */
function checkScopes(scopes: unknown, of: string): ReadonlySet<ApiScope> {
  const all: readonly unknown[] = apiScopes;
  const list = Array.isArray(scopes) ? scopes : [];
  const wrong = list.find((scope) => !all.includes(scope));
  if (list.length > 0 && wrong === undefined) return new Set(list as ApiScope[]);
  const found = wrong === undefined ? 'no list with a scope' : `${JSON.stringify(wrong).slice(0, 80)} in it`;
  throw bad(`scopes of key ${of} has ${found}; known: ${apiScopes.join(', ')}`);
}

/** @throws PinwheelError `bad-option` for an id that a key cannot have. */
export function checkApiKeyId(id: unknown): string {
  if (isApiKeyId(id)) return id;
  throw bad('an id must be 1 to 64 of A-Z a-z 0-9 . -');
}

/** ISO 8601, a date or with a time and its zone. */
const timePattern = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/;

/** @throws PinwheelError `bad-option` for what is no time; `undefined` stays it. */
function checkExpiry(value: unknown, of: string): number | undefined {
  if (value === undefined) return undefined;
  // the same moment in every process, whatever its time zone
  const isNamed = typeof value === 'string' && timePattern.test(value);
  const time = isNamed ? Date.parse(value) : value;
  if (typeof time === 'number' && Number.isFinite(time) && time > 0) return time;
  throw bad(`expiresAt of key ${of} must be a time such as "2027-01-31T00:00:00Z", or ms since 1970`);
}

function keyIn(entry: Readonly<Record<string, unknown>>): ApiKey {
  const id = checkApiKeyId(entry['id']);
  const unknown = Object.keys(entry).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw bad(`key ${id} has the unknown field ${JSON.stringify(unknown.slice(0, 80))}; known: ${known}`);
  }
  const { hash } = entry;
  if (typeof hash !== 'string' || !hashPattern.test(hash)) {
    throw bad(`the hash of key ${id} must be the SHA-256 of its secret, 64 hex digits`);
  }
  const sendsPerSecond = wholeIn(entry, 'sendsPerSecond', id);
  const burst = wholeIn(entry, 'burst', id);
  if (burst !== undefined && sendsPerSecond === undefined) {
    throw bad(`key ${id} has a burst without sendsPerSecond; give both, or none`);
  }
  return {
    id,
    hash: Buffer.from(hash, 'hex'),
    scopes: checkScopes(entry['scopes'], id),
    sendsPerSecond,
    burst: burst ?? sendsPerSecond ?? 0,
    expiresAt: checkExpiry(entry['expiresAt'], id),
  };
}

function wholeIn(entry: Readonly<Record<string, unknown>>, name: string, id: string): number | undefined {
  const value = entry[name];
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= maxPerSecond) {
    return value;
  }
  const shown = JSON.stringify(value).slice(0, 80);
  throw bad(`${name} of key ${id} is ${shown}; it must be a whole number between 1 and ${maxPerSecond}`);
}

function bad(why: string): PinwheelError {
  return new PinwheelError('bad-option', `api keys: ${why}`);
}
