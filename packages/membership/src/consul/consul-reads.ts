import { Agent, request } from 'undici';
import { callWithin } from '../time/call-within.js';

/** A service of 10,000 nodes with long check outputs is half of this. */
export const maxAnswerBytes = 67_108_864;

export interface ConsulRead {
  /** Below `/v1`. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly token: string | undefined;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface ConsulAnswer {
  readonly index: string | undefined;
  readonly body: unknown;
  /** Something is left out that the token may not see. */
  readonly isFiltered: boolean;
}

/** An answer that says no, in the shape in which the `consul` client throws it. */
class Refusal extends Error {
  readonly response: { readonly statusCode: number };

  constructor(statusCode: number, text: string) {
    super(text === '' ? `status ${statusCode}` : `status ${statusCode}: ${text}`);
    this.response = { statusCode };
  }
}

/**
 * Reads Consul's HTTP API. Not through the `consul` client, which collects an answer of any length in memory: an
 * answer that does not end would take the process with it.
 */
export class ConsulReads {
  readonly #origin: string;
  #agent: Agent | undefined;

  constructor(origin: string) {
    this.#origin = origin;
  }

  /** Rejects past the deadline, on abort, beyond `maxAnswerBytes`, and for anything but a JSON answer of 2xx. */
  async read({ path, query, token, timeoutMs, signal }: ConsulRead): Promise<ConsulAnswer> {
    // the deadline is this call's: a blocking query may wait longer than undici's own
    this.#agent ??= new Agent({ maxResponseSize: maxAnswerBytes, headersTimeout: 0, bodyTimeout: 0 });
    const agent = this.#agent;
    try {
      return await callWithin(timeoutMs, signal, async (ends) => {
        const response = await request(`${this.#origin}/v1${path}?${new URLSearchParams(query)}`, {
          dispatcher: agent,
          headers: token === undefined ? {} : { 'x-consul-token': token },
          signal: ends,
        });
        const text = await response.body.text();
        const { statusCode, headers } = response;
        if (statusCode < 200 || statusCode > 299) throw new Refusal(statusCode, text.trim().slice(0, 200));
        const index = headers['x-consul-index'];
        return {
          index: typeof index === 'string' ? index : undefined,
          body: JSON.parse(text),
          isFiltered: headers['x-consul-results-filtered-by-acls'] === 'true',
        };
      });
    } catch (error) {
      if ((error as { code?: string }).code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE')
        throw new Error(`the answer is longer than ${maxAnswerBytes} bytes`, { cause: error });
      throw error;
    }
  }

  /** Ends connections that are kept open, and reads under way; a later read opens new ones. */
  close(): void {
    this.#agent?.destroy().catch(() => {});
    this.#agent = undefined;
  }
}
