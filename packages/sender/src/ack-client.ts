import { Buffer } from 'node:buffer';
import { decodeReceipt, PinwheelError, type Receipt } from '@pinwheel/protocol';
import type { Signer } from '@pinwheel/trust';
import type { Pool } from 'undici';
import { failureOf, openPool, type PostOptions, refusalOf, signedHeaders } from './node-pool.js';
import { Places } from './places.js';

/** A message that was taken, by its place in its user's stream. */
export interface AckQuestion {
  readonly user: string;
  readonly stream: string;
  readonly seq: number;
}

export interface AskOptions extends Omit<PostOptions, 'contentType'> {
  /** How long the node may take, in ms; less than `deadlineMs`, so that its answer comes in time. */
  readonly waitMs: number;
}

/** A question takes a connection for as long as the node takes to answer. */
const connections = 64;
/** A question gives its place up after so long, in ms, and after less while others wait for one. */
const longestMs = 1000;
const crowdedMs = 100;

/** Asks one node what of a message has been acknowledged. */
export class AckClient {
  readonly #id: string;
  readonly #name: string;
  readonly #signer: Signer | undefined;
  readonly #pool: Pool;
  readonly #places = new Places(connections);

  constructor(
    id: string,
    name: string,
    origin: string,
    signer: Signer | undefined,
    connectTimeoutMs: number,
  ) {
    this.#id = id;
    this.#signer = signer;
    this.#name = name;
    this.#pool = openPool(origin, connections, connectTimeoutMs);
  }

  /**
   * The node answers when the matter is settled, and says how it stands after `waitMs` or earlier: clients that are
   * silent must not hold up the questions about others.
   *
   * @throws PinwheelError (rejects) `unreachable`, `unknown-outcome` or `deadline`, and what the node refuses it with.
   */
  async ask(question: AckQuestion, { waitMs, deadlineMs, ...options }: AskOptions): Promise<Receipt> {
    const signal = AbortSignal.timeout(Math.max(1, Math.round(deadlineMs)));
    await this.#places.take();
    try {
      if (signal.aborted) throw new PinwheelError('deadline', `${deadlineMs} ms passed before it was asked`);
      const most = this.#places.isCrowded ? crowdedMs : longestMs;
      return await this.#ask(question, { ...options, deadlineMs: Math.min(waitMs, most) }, signal);
    } catch (thrown) {
      throw failureOf(this.#name, thrown, signal.aborted, deadlineMs);
    } finally {
      this.#places.give();
    }
  }

  /** Lets what is under way end; takes nothing more. */
  async retire(): Promise<void> {
    await this.#pool.close();
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  async #ask(
    { user, stream, seq }: AckQuestion,
    options: PostOptions,
    signal: AbortSignal,
  ): Promise<Receipt> {
    const query = `stream=${encodeURIComponent(stream)}&seq=${seq}`;
    const path = `/v1/users/${encodeURIComponent(user)}/acknowledgements?${query}`;
    const { statusCode, body } = await this.#pool.request({
      method: 'GET',
      path,
      headers: signedHeaders(options, this.#signer, { method: 'GET', path, to: this.#id }),
      signal,
    });
    const bytes = Buffer.from(await body.arrayBuffer());
    try {
      return decodeReceipt(bytes);
    } catch {
      throw refusalOf(this.#name, statusCode, bytes.toString());
    }
  }
}
