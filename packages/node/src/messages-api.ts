import {
  batchContentType,
  decodeBatch,
  decodeUserId,
  headers,
  httpStatusOfReceipt,
  isMessageId,
  type Message,
  maxBatchBytes,
  type NdjsonLine,
  ndjsonContentType,
  PinwheelError,
  parseNdjson,
  type Receipt,
  type Receipts,
} from '@pinwheel/protocol';
import type { AnswerHeaders, Exchange } from './exchange.js';
import type { NodeCounters } from './node-counters.js';
import { readPassage } from './passage.js';
import { readPayload } from './payload.js';
import type { Passage } from './router.js';

export interface MessagesApiOptions {
  readonly route: (batch: readonly Message[], passage: Passage) => Receipts | Promise<Receipts>;
  readonly counters: NodeCounters;
  readonly newId: () => string;
  readonly now: () => number;
  /** Time of a request that does not say, in ms. */
  readonly deadlineMs: number;
  /** What this node says of itself with every batch. */
  readonly selfHeaders: () => AnswerHeaders;
}

/** `POST /v1/users/{user}/messages` and `POST /v1/messages`. */
export class MessagesApi {
  readonly #options: MessagesApiOptions;

  constructor(options: MessagesApiOptions) {
    this.#options = options;
  }

  /** The body is the payload. */
  async single(exchange: Exchange, encodedUser: string): Promise<void> {
    const { counters, newId } = this.#options;
    counters.requests.single++;
    const passage = this.#passage(exchange);
    const user = decodeUserId(encodedUser);
    const given = exchange.header(headers.messageId);
    const id = given ?? newId();
    if (!isMessageId(id)) {
      throw new PinwheelError(
        'bad-request',
        `${headers.messageId} must be 1 to 64 printable ASCII characters`,
      );
    }
    const batch = [
      { user, ...(await readPayload(exchange)), id, waitForClient: false, repeated: given !== undefined },
    ];
    const receipt = (await this.#route(batch, passage)).receipt(0, user);
    exchange.json(httpStatusOfReceipt(receipt), receipt, headersOf(receipt));
  }

  /** Binary from our own senders and nodes, NDJSON from everybody else. */
  async batch(exchange: Exchange): Promise<void> {
    const passage = this.#passage(exchange);
    if (exchange.contentType === batchContentType) await this.#binary(exchange, passage);
    else await this.#ndjson(exchange, passage);
  }

  async #binary(exchange: Exchange, passage: Passage): Promise<void> {
    this.#options.counters.requests.batch++;
    const batch = decodeBatch(await exchange.readBody(maxBatchBytes));
    const receipts = await this.#route(batch, passage);
    exchange.send(200, batchContentType, receipts.encode(), this.#options.selfHeaders());
  }

  async #ndjson(exchange: Exchange, passage: Passage): Promise<void> {
    this.#options.counters.requests.ndjson++;
    const body = await exchange.readBody(maxBatchBytes);
    const lines = parseNdjson(body, this.#options.newId).map(refuseWait);
    const batch = lines.filter((line): line is Message => !(line instanceof PinwheelError));
    const receipts = await this.#route(batch, passage);
    let next = 0;
    let answer = '';
    for (const line of lines) {
      const said = line instanceof PinwheelError ? line : receipts.receipt(next++, line.user);
      answer += `${JSON.stringify(said)}\n`;
    }
    exchange.send(200, ndjsonContentType, answer, this.#options.selfHeaders());
  }

  #passage(exchange: Exchange): Passage {
    return readPassage(exchange, this.#options.now(), this.#options.deadlineMs);
  }

  async #route(batch: readonly Message[], passage: Passage): Promise<Receipts> {
    const { route, counters } = this.#options;
    // while uWebSockets.js calls a request's handler it holds its one cork for that request: every message to a
    // client would be a system call of its own
    if (batch.length > 1) await new Promise(setImmediate);
    const routed = route(batch, passage);
    const receipts = routed instanceof Promise ? await routed : routed;
    for (let i = 0; i < receipts.length; i++) counters.receipts[receipts.status(i)]++;
    return receipts;
  }
}

/** Said rather than passed over: a receipt that did not wait would promise too much. */
function refuseWait(line: NdjsonLine): NdjsonLine {
  if (line instanceof PinwheelError || !line.waitForClient) return line;
  return new PinwheelError('bad-request', 'wait: no session of this node acknowledges; leave it out');
}

function headersOf(receipt: Receipt): AnswerHeaders {
  if (receipt.status === 'not-owner' && receipt.owner !== undefined)
    return { [headers.owner]: receipt.owner };
  return receipt.status === 'overloaded' ? { 'retry-after': '1' } : {};
}
