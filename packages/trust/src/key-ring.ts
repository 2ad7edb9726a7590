import { Buffer } from 'node:buffer';
import { createSecretKey, type KeyObject } from 'node:crypto';
import { PinwheelError } from '@pinwheel/protocol';
import { type KeyEntriesKind, keyEntriesIn } from './key-entries.js';

export interface Key {
  readonly id: string;
  readonly secret: KeyObject;
}

/** At one time: the one that signs, the one before it, and the one after it while all processes learn of it. */
export const maxKeys = 4;
/** Of a secret, in bytes: less than the digest is long can be guessed sooner than it. */
export const minSecretBytes = 32;
export const maxSecretBytes = 1024;

const idPattern = /^[A-Za-z0-9_-]{1,64}$/;

const entries: KeyEntriesKind = {
  least: 1,
  most: maxKeys,
  must: `it must be {"keys":[{"id","secret"},…]} with 1 to ${maxKeys} keys`,
  bad,
};

/** The keys that the processes of a service share: the first one signs, all of them verify. Immutable. */
export class KeyRing {
  readonly first: Key;
  readonly #byId: ReadonlyMap<string, Key>;

  private constructor(first: Key, byId: ReadonlyMap<string, Key>) {
    this.first = first;
    this.#byId = byId;
  }

  /**
   * Reads `{"keys":[{"id","secret"},…]}`.
   *
   * @throws PinwheelError `bad-option` that says what is wrong, without a character of a secret.
   */
  static parse(text: string): KeyRing {
    const byId = new Map<string, Key>();
    for (const { id, secret } of keyEntriesIn(text, entries)) {
      if (typeof id !== 'string' || !idPattern.test(id)) {
        throw bad(`a key's id must be 1 to 64 of A-Z a-z 0-9 _ -`);
      }
      if (byId.has(id)) throw bad(`the key ${id} is there twice`);
      const bytes = typeof secret === 'string' ? Buffer.byteLength(secret) : 0;
      if (bytes < minSecretBytes || bytes > maxSecretBytes) {
        throw bad(
          `the secret of key ${id} has ${bytes} bytes; it must be a text of ${minSecretBytes} to ${maxSecretBytes}`,
        );
      }
      byId.set(id, { id, secret: createSecretKey(secret as string, 'utf8') });
    }
    const [first] = byId.values();
    return new KeyRing(first!, byId);
  }

  get(id: string): Key | undefined {
    return this.#byId.get(id);
  }

  /** Whether a key, perhaps of an earlier ring, is one of these: by its secret, too. */
  has({ id, secret }: Key): boolean {
    return this.#byId.get(id)?.secret.equals(secret) === true;
  }

  get ids(): readonly string[] {
    return [...this.#byId.keys()];
  }
}

function bad(why: string): PinwheelError {
  return new PinwheelError('bad-option', `keys: ${why}`);
}
