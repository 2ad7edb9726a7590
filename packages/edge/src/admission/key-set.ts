import { readFile } from 'node:fs/promises';
import { type Clock, callWithin, type Log, reasonOf } from '@pinwheel/membership';
import { PinwheelError } from '@pinwheel/protocol';
import { type HttpTarget, httpTarget } from '@pinwheel/server';
import { createLocalJWKSet, type JSONWebKeySet, type JWK, type LocalJWKSet } from 'jose';
import type { AdmissionCounters } from './admission-counters.js';
import { boundedText } from './bounded-text.js';
import { jsonObject } from './json-object.js';

export interface KeySetOptions {
  /** An `https:` URL (`http:` on loopback only), or the path of a file. */
  readonly source: string;
  /** A set that is older is read again, in ms. */
  readonly refreshMs: number;
  /** Time for one reading, in ms. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly counters: AdmissionCounters;
}

/** Of a key set, in bytes. */
const maxBytes = 1_048_576;
const maxKeys = 256;
/** Tokens with unknown keys have it read again no more often than this, in ms. */
const coolDownMs = 10_000;
/** After a reading that failed. */
const retryMs = 5000;

/**
 * The public keys that tokens are signed with. Read at the start, again every `refreshMs`, and when a token names a key
 * that is not among them; what was read last stays good while its source is away.
 */
export class KeySet {
  readonly #options: KeySetOptions;
  /** Missing when it is a file. */
  readonly #target: HttpTarget | undefined;
  readonly #closing = new AbortController();
  #keys: LocalJWKSet | undefined;
  #reading: Promise<void> | undefined;
  #readAt = Number.NEGATIVE_INFINITY;
  #cancel: (() => void) | undefined;

  constructor(options: KeySetOptions) {
    this.#options = options;
    this.#target = httpTarget(options.source);
  }

  /** `undefined` when none were read yet. */
  get keys(): LocalJWKSet | undefined {
    return this.#keys;
  }

  /** Reads, unless that was done just now. Never rejects: the log says when it fails, and it is tried again. */
  refresh(): Promise<void> {
    const { clock } = this.#options;
    if (this.#reading !== undefined) return this.#reading;
    if (this.#closing.signal.aborted || clock.now() - this.#readAt < coolDownMs) return Promise.resolve();
    this.#readAt = clock.now();
    this.#cancel?.();
    this.#reading = this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /** May be called twice. */
  close(): void {
    this.#closing.abort();
    this.#cancel?.();
  }

  async #read(): Promise<void> {
    const { source, refreshMs, counters, log } = this.#options;
    let nextMs = refreshMs;
    try {
      this.#keys = createLocalJWKSet(publicKeys(await this.#text()));
      counters.keySets.read++;
    } catch (thrown) {
      if (this.#closing.signal.aborted) return;
      nextMs = Math.min(refreshMs, retryMs);
      counters.keySets.failed++;
      const kept = this.#keys === undefined ? 'nobody is admitted until it can' : 'the last ones stay good';
      log.warn(
        { jwks: this.#target?.name ?? source },
        `the key set cannot be read: ${reasonOf(thrown)}; ${kept}`,
      );
    }
    if (this.#closing.signal.aborted) return;
    this.#cancel = this.#options.clock.after(nextMs, () => {
      this.#readAt = Number.NEGATIVE_INFINITY;
      void this.refresh();
    });
  }

  #text(): Promise<string> {
    const { source, timeoutMs } = this.#options;
    const target = this.#target;
    return callWithin(timeoutMs, this.#closing.signal, (signal) =>
      target === undefined ? readFile(source, { encoding: 'utf8', signal }) : fetched(target, signal),
    );
  }
}

async function fetched(target: HttpTarget, signal: AbortSignal): Promise<string> {
  const headers = { accept: 'application/json', ...target.headers };
  const answer = await fetch(target.url, { signal, redirect: 'error', headers });
  if (!answer.ok) throw new PinwheelError('unavailable', `it was answered with ${answer.status}`);
  return boundedText(answer, maxBytes, 'it');
}

/** Keys of other kinds are none of ours; a shared secret among them would make everybody who can read it a signer. */
function publicKeys(text: string): JSONWebKeySet {
  if (text.length > maxBytes) throw new PinwheelError('too-large', `it has more than ${maxBytes} bytes`);
  const { keys } = jsonObject(text, 'it');
  if (!Array.isArray(keys) || keys.length > maxKeys) {
    throw new PinwheelError('bad-option', `it must be {"keys":[…]} with at most ${maxKeys} keys`);
  }
  const usable = (keys as JWK[]).filter(
    ({ kty, d }) => (kty === 'RSA' || kty === 'EC' || kty === 'OKP') && d === undefined,
  );
  if (usable.length === 0) throw new PinwheelError('bad-option', 'there is no public key in it');
  return { keys: usable };
}
