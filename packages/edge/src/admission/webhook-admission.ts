import { createHash } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { performance } from 'node:perf_hooks';
import { callWithin, type Log, reasonOf } from '@pinwheel/membership';
import { PinwheelError, parseUserId } from '@pinwheel/protocol';
import { notNow, refusal } from '../http/refusal.js';
import type { Admission, Admissions } from './admission.js';
import type { AdmissionCounters } from './admission-counters.js';
import type { ResolvedWebhookOptions } from './admission-options.js';
import type { AdmissionRequest } from './admission-request.js';
import { AnswerCache } from './answer-cache.js';
import { boundedText } from './bounded-text.js';
import { jsonObject } from './json-object.js';
import { SparseWarning } from './sparse-warning.js';

/** What the webhook is told of a request; the rest is of the connection, not of the client. */
const toldHeaders = ['authorization', 'cookie', 'origin', 'sec-websocket-protocol', 'user-agent'];
const maxCached = 10_000;
/** Questions about new clients at one time; past it they are told to come again. As many more may be about renewed tokens. */
const maxAsking = 256;
const maxAnswerBytes = 65_536;

/** `auth: 'webhook'`: an HTTP service of yours says who the client is. */
export class WebhookAdmission implements Admissions {
  readonly #options: ResolvedWebhookOptions;
  readonly #counters: AdmissionCounters;
  readonly #unanswered: SparseWarning;
  readonly #now: () => number;
  readonly #cache = new AnswerCache<Admission>(maxCached);
  /** By the digest of what is asked: many connections of one client ask once. */
  readonly #asking = new Map<string, Promise<Admission>>();
  /** Likewise of those who are here: they have room of their own. */
  readonly #renewing = new Map<string, Promise<Admission>>();
  readonly #closing = new AbortController();

  /** @param now ms since 1970. */
  constructor(
    options: ResolvedWebhookOptions,
    counters: AdmissionCounters,
    log: Log,
    now: () => number = Date.now,
  ) {
    this.#options = options;
    this.#counters = counters;
    this.#unanswered = new SparseWarning(log);
    this.#now = now;
    // one for each question that is open
    setMaxListeners(2 * maxAsking, this.#closing.signal);
  }

  admit = (request: AdmissionRequest): Admission | Promise<Admission> => {
    const { path, query, headers } = request;
    const told: Record<string, string> = {};
    for (const name of toldHeaders) {
      const lines = headers.get(name);
      if (lines !== undefined) told[name] = lines.join(name === 'cookie' ? '; ' : ', ');
    }
    return this.#answerTo(JSON.stringify({ path, query, headers: told }), this.#asking);
  };

  renew = async (token: string): Promise<Admission> =>
    this.#answerTo(
      JSON.stringify({ path: '', query: '', headers: { authorization: `Bearer ${token}` } }),
      this.#renewing,
    );

  close(): void {
    this.#closing.abort();
  }

  #answerTo(question: string, open: Map<string, Promise<Admission>>): Admission | Promise<Admission> {
    const key = createHash('sha256').update(question).digest('base64');
    const known = this.#cache.get(key, performance.now());
    if (known !== undefined) {
      this.#counters.webhook.cached++;
      return known;
    }
    const asking = open.get(key);
    if (asking !== undefined) return asking;
    if (open.size >= maxAsking) {
      const why = `${maxAsking} clients are being asked for already`;
      return { refused: notNow('overloaded', why), outcome: 'overloaded' };
    }
    const answer = this.#ask(question)
      .catch((thrown: unknown) => this.#failed(thrown))
      .then((admission) => {
        if ('user' in admission) this.#keep(key, admission);
        return admission;
      })
      .finally(() => open.delete(key));
    open.set(key, answer);
    return answer;
  }

  #keep(key: string, admission: Extract<Admission, { user: string }>): void {
    // by a clock that nobody sets
    const left = (admission.expiresAt ?? Number.POSITIVE_INFINITY) - this.#now();
    const goodForMs = Math.min(this.#options.cacheMs, left);
    if (goodForMs > 0) this.#cache.set(key, admission, performance.now() + goodForMs);
  }

  #failed(thrown: unknown): Admission {
    this.#counters.webhook.failed++;
    if (!this.#closing.signal.aborted) {
      const { name } = this.#options.target;
      this.#unanswered.warn(`the auth webhook ${name} gave no answer: ${reasonOf(thrown)}`);
    }
    const why = 'who the client is cannot be asked at the moment';
    return { refused: notNow('unavailable', why), outcome: 'unavailable' };
  }

  async #ask(body: string): Promise<Admission> {
    const { target, timeoutMs } = this.#options;
    const headers = { 'content-type': 'application/json', ...target.headers };
    const { status, text } = await callWithin(timeoutMs, this.#closing.signal, async (signal) => {
      const answer = await fetch(target.url, { method: 'POST', headers, body, signal, redirect: 'error' });
      const text = boundedText(answer, maxAnswerBytes, 'its answer');
      // a no is a no, whatever page comes with it
      return { status: answer.status, text: answer.status === 200 ? await text : await text.catch(() => '') };
    });
    if (status === 401 || status === 403) {
      this.#counters.webhook.refused++;
      const code = status === 401 ? 'not-authenticated' : 'not-allowed';
      const why = 'the service that knows the clients does not admit this one';
      return { refused: refusal(status, code, why), outcome: 'bad-token' };
    }
    if (status !== 200) throw new PinwheelError('unavailable', `it answered ${status}`);
    const admission = this.#read(text);
    this.#counters.webhook['user' in admission ? 'admitted' : 'refused']++;
    return admission;
  }

  #read(text: string): Admission {
    const { user, expiresAt } = jsonObject(text, 'its answer');
    const known = parseUserId(user);
    if (expiresAt === undefined || expiresAt === null) return { user: known };
    if (typeof expiresAt !== 'number' || !Number.isFinite(expiresAt)) {
      throw new PinwheelError('bad-request', 'its expiresAt must be a number: ms since 1970');
    }
    if (expiresAt > this.#now()) return { user: known, expiresAt };
    const why = 'the client is not admitted any more';
    return { refused: refusal(401, 'not-authenticated', why), outcome: 'bad-token' };
  }
}
