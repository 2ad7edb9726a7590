import { BatchWriter, type OutgoingMessage, type PinwheelError, type Receipt } from '@pinwheel/protocol';
import type { Signer } from '@pinwheel/trust';
import type { Pool } from 'undici';
import { AckClient, type AckQuestion, type AskOptions } from './ack-client.js';
import { BatchAnswer, type Ended } from './batch-answer.js';
import { failureOf, openPool, type PostOptions, refusalOf, signedHeaders } from './node-pool.js';
import { type Came, RequestDeadline, request, type WholeAnswer } from './request.js';
import type { Traffic } from './traffic.js';

/** Most batches in flight from one outbox: others need not wait behind those that go on to other nodes. */
export const flightsToNode = 4;
/** For a node's four outboxes to another one, by the way that their messages have come: none waits for another's flights. */
const batchConnections = 4 * flightsToNode;
/**
 * For all else: a batch that waits for a user must not hold up the call by which the user moves. Of claims, which wait for
 * applications, there are at most eight at a time: none waits for another, nor what else is called.
 */
const callConnections = 12;

/**
 * Posts batches to one node over kept-alive HTTP. `post` may be called while another is under way; a batch's
 * bytes are copied before it returns control.
 */
export class NodeClient {
  readonly #batches: Pool;
  readonly #calls: Pool;
  readonly #id: string;
  readonly #name: string;
  readonly #traffic: Traffic;
  readonly #signer: Signer | undefined;
  readonly #openAckClient: () => AckClient;
  #ackClient: AckClient | undefined;
  #idleWriters: BatchWriter[] = [];

  /**
   * @param origin for example `http://10.0.0.1:7001`.
   * @param traffic where batches are counted.
   */
  constructor(id: string, origin: string, traffic: Traffic, signer?: Signer, connectTimeoutMs = 1000) {
    this.#id = id;
    this.#traffic = traffic;
    this.#name = `${id} (${origin})`;
    this.#signer = signer;
    this.#batches = openPool(origin, batchConnections, connectTimeoutMs);
    this.#calls = openPool(origin, callConnections, connectTimeoutMs);
    this.#openAckClient = () => new AckClient(id, this.#name, origin, signer, connectTimeoutMs);
  }

  /** Never rejects. The batch must stay as it is until all of it has ended. */
  async post<Item extends OutgoingMessage>(
    messages: readonly Item[],
    options: PostOptions,
    ended: Ended<Item>,
  ): Promise<void> {
    const coming = new BatchAnswer(this.#name, messages, ended);
    const writer = this.#idleWriters.pop() ?? new BatchWriter();
    try {
      const path = '/v1/messages';
      const body = writer.write(messages);
      this.#traffic.copies += messages.length;
      this.#traffic.bytes += body.length;
      const read: Came = ({ status, body: soFar, headers }) => {
        if (status === 200) coming.came(soFar, headers);
      };
      const answer = await this.#request(this.#batches, 'POST', path, options, body, read);
      if (answer.status !== 200) throw refusalOf(this.#name, answer.status, answer.body.toString());
      // answered in full, so the request has been read: its bytes are no longer needed
      this.#idleWriters.push(writer);
      coming.whole(answer.body, answer.headers);
    } catch (thrown) {
      coming.failed(this.#failure(thrown, options));
    }
  }

  /**
   * Any other request.
   *
   * @throws PinwheelError (rejects) `unreachable`, `unknown-outcome` or `deadline`.
   */
  async call(
    method: string,
    path: string,
    options: PostOptions,
    body?: string | Uint8Array,
  ): Promise<{ readonly status: number; readonly body: string }> {
    try {
      const answer = await this.#request(this.#calls, method, path, options, body ?? null);
      return { status: answer.status, body: answer.body.toString() };
    } catch (thrown) {
      throw this.#failure(thrown, options);
    }
  }

  /** See {@link AckClient.ask}. It has connections of its own: its answers take long and hold up nothing else. */
  acknowledgement(question: AckQuestion, options: AskOptions): Promise<Receipt> {
    this.#ackClient ??= this.#openAckClient();
    return this.#ackClient.ask(question, options);
  }

  /** Lets what is under way end and closes the connections; takes nothing more. */
  async retire(): Promise<void> {
    await Promise.all([this.#batches.close(), this.#calls.close(), this.#ackClient?.retire()]);
  }

  /** Cuts what is under way. */
  async close(): Promise<void> {
    await Promise.all([this.#batches.destroy(), this.#calls.destroy(), this.#ackClient?.close()]);
  }

  #request(
    pool: Pool,
    method: string,
    path: string,
    options: PostOptions,
    body: string | Uint8Array | null,
    came?: Came,
  ): Promise<WholeAnswer> {
    const proven = { method, path, to: this.#id, body: body ?? undefined };
    const headers = signedHeaders(options, this.#signer, proven);
    return request(pool, { method, path, headers, body, deadlineMs: options.deadlineMs }, came);
  }

  #failure(thrown: unknown, { deadlineMs }: PostOptions): PinwheelError {
    return failureOf(this.#name, thrown, thrown instanceof RequestDeadline, deadlineMs);
  }
}
