import { Buffer } from 'node:buffer';
import { timingSafeEqual } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { PinwheelError } from '@pinwheel/protocol';
import { type ApiKey, type ApiScope, hasApiKeyIn, hashOf, parseBearer } from './api-key.js';
import type { ApiKeySet, ApiKeySource } from './api-key-set.js';
import { MessageBucket } from './message-bucket.js';

/** What is read of a call before its body. */
export interface KeyedCall {
  /** Every `Authorization` header that came. */
  readonly authorization: readonly string[];
  /** Without the question mark. */
  readonly query: string;
}

/** Who was let in, by its key. */
export interface ApiCaller {
  readonly id: string;
  /**
   * Counts messages against the key's rate: all of them, or none.
   *
   * @throws PinwheelError `limit-reached` that says when they would be taken.
   */
  spend(messages: number): void;
  /**
   * Takes room for a body that is about to be read.
   *
   * @returns gives it back, all but `left` bytes; may be called again.
   * @throws PinwheelError `overloaded` when the bodies of callers with keys have all that there is.
   */
  reserve(bytes: number): (left?: number) => void;
}

/** The scope that a call needs; `any` for any key; or why no key may make it. */
export type KeyNeed = ApiScope | 'any' | { readonly refused: string };

/** Nobody can tell by which of the two a caller would be known elsewhere. */
export function refuseBoth(): PinwheelError {
  return new PinwheelError('not-authenticated', 'there are a proof and an Authorization; send one of them');
}

/** What became of calls that showed a key. */
export const apiKeyDecisions = ['accepted', 'not-authenticated', 'not-allowed', 'limit-reached'] as const;

/** How often each was made. */
export type ApiKeyDecisions = Record<(typeof apiKeyDecisions)[number], number>;

export function noDecisions(): ApiKeyDecisions {
  return { accepted: 0, 'not-authenticated': 0, 'not-allowed': 0, 'limit-reached': 0 };
}

interface Use {
  readonly bucket: MessageBucket;
  messages: number;
  bodyBytes: number;
}

/** For the bodies of all callers with keys that are being read and answered, in bytes. */
const maxBodyBytes = 67_108_864;
/** For those of one key: others have room, whatever it does. */
const maxBodyBytesPerKey = maxBodyBytes / 2;

/** Compared with where there is no such key, so that the time does not say which ids there are. */
const nobody = Buffer.alloc(32);

/** Lets in callers with an API key, each within its scopes and its rate. */
export class ApiKeyGate {
  readonly decisions = noDecisions();
  readonly #source: ApiKeySource;
  readonly #now: () => number;
  readonly #elapsed: () => number;
  readonly #uses = new Map<string, Use>();
  #seen: ApiKeySet;
  #bodyBytes = 0;

  /**
   * @param now ms since 1970, for the end of keys.
   * @param elapsed ms that never go back, for their rates.
   */
  constructor(
    source: ApiKeySource,
    now: () => number = Date.now,
    elapsed: () => number = () => performance.now(),
  ) {
    this.#source = source;
    this.#now = now;
    this.#elapsed = elapsed;
    this.#seen = source.current;
  }

  /** Messages that were taken, by key. */
  get messages(): readonly (readonly [messages: number, id: string])[] {
    return this.#source.current.ids.map((id) => [this.#uses.get(id)?.messages ?? 0, id]);
  }

  /**
   * @throws PinwheelError `not-authenticated`, `not-allowed`.
   */
  admit(call: KeyedCall, needs: KeyNeed): ApiCaller {
    const key = this.#authenticated(call);
    if (typeof needs === 'object') throw this.#refuse('not-allowed', needs.refused);
    if (needs !== 'any' && !key.scopes.has(needs)) {
      throw this.#refuse('not-allowed', `the API key ${key.id} lacks the scope ${needs}, which this needs`);
    }
    this.decisions.accepted++;
    return {
      id: key.id,
      spend: (messages) => this.#spend(key, messages),
      reserve: (bytes) => this.#reserve(key, bytes),
    };
  }

  #authenticated({ authorization, query }: KeyedCall): ApiKey {
    if (hasApiKeyIn(query)) {
      throw this.#refuse(
        'not-authenticated',
        'an API key is in the URL, where it ends up in logs; send it as Authorization: Bearer, and replace this one',
      );
    }
    if (authorization.length !== 1) {
      const why =
        authorization.length === 0
          ? 'an API key is missing'
          : `there are ${authorization.length} Authorization headers`;
      throw this.#refuse('not-authenticated', `${why}; send one Authorization: Bearer pwk_<id>_<secret>`);
    }
    const shown = parseBearer(authorization[0]!);
    if (shown === undefined) {
      throw this.#refuse('not-authenticated', 'Authorization must be: Bearer pwk_<id>_<secret>');
    }
    const key = this.#source.current.get(shown.id);
    const isRight = timingSafeEqual(hashOf(shown.secret), key?.hash ?? nobody);
    if (key === undefined || !isRight) throw this.#refuse('not-authenticated', 'the API key is not known');
    if (key.expiresAt !== undefined && key.expiresAt <= this.#now()) {
      const since = new Date(key.expiresAt).toISOString();
      throw this.#refuse('not-authenticated', `the API key ${key.id} expired at ${since}`);
    }
    return key;
  }

  #reserve({ id }: ApiKey, bytes: number): (left?: number) => void {
    const use = this.#useOf(id);
    const isForAll = this.#bodyBytes + bytes > maxBodyBytes;
    if (isForAll || use.bodyBytes + bytes > maxBodyBytesPerKey) {
      const held = isForAll
        ? `bodies of ${this.#bodyBytes} bytes are on their way with API keys; ${maxBodyBytes} is the most`
        : `bodies of ${use.bodyBytes} bytes are on their way with the API key ${id}; ${maxBodyBytesPerKey} is the most`;
      throw new PinwheelError('overloaded', `${held}; try again later`);
    }
    this.#bodyBytes += bytes;
    use.bodyBytes += bytes;
    let held = bytes;
    return (left = 0) => {
      const given = Math.max(0, held - left);
      this.#bodyBytes -= given;
      use.bodyBytes -= given;
      held -= given;
    };
  }

  #spend(key: ApiKey, messages: number): void {
    const use = this.#useOf(key.id);
    const { sendsPerSecond, burst, id } = key;
    const waitMs =
      sendsPerSecond === undefined ? 0 : use.bucket.take(messages, sendsPerSecond, burst, this.#elapsed());
    if (waitMs === 0) {
      use.messages += messages;
      return;
    }
    this.decisions['limit-reached']++;
    const bound = `the API key ${id} may send ${sendsPerSecond} messages a second, ${burst} at once`;
    const [advice, retryAfterMs] = Number.isFinite(waitMs)
      ? [`try again in ${Math.ceil(waitMs)} ms`, waitMs]
      : [`send at most ${burst} in one call`, 1000];
    throw new PinwheelError('limit-reached', `${messages} messages are too many now: ${bound}; ${advice}`, {
      retryAfterMs,
    });
  }

  #useOf(id: string): Use {
    const { current } = this.#source;
    if (current !== this.#seen) {
      this.#seen = current;
      for (const known of this.#uses.keys()) if (current.get(known) === undefined) this.#uses.delete(known);
    }
    let use = this.#uses.get(id);
    if (use === undefined) {
      use = { bucket: new MessageBucket(), messages: 0, bodyBytes: 0 };
      this.#uses.set(id, use);
    }
    return use;
  }

  #refuse(code: 'not-authenticated' | 'not-allowed', why: string): PinwheelError {
    this.decisions[code]++;
    return new PinwheelError(code, why);
  }
}
