import {
  batchContentType,
  countLines,
  decodeBatch,
  decodeUserId,
  encodeFirstPart,
  encodeSecondPart,
  headers,
  isMessageId,
  type Message,
  maxBatchBytes,
  ndjsonContentType,
  PinwheelError,
  parseNdjson,
  type Receipt,
  type Receipts,
  writePlaces,
} from '@pinwheel/protocol';
import type { NodeCounters } from '../counters/node-counters.js';
import type { Acknowledgements } from '../delivery/acknowledgements.js';
import type { Passage } from '../delivery/passage.js';
import type { KnownEarly } from '../delivery/router.js';
import { answerReceipt } from '../http/answer-receipt.js';
import type { AnswerHeaders, Exchange } from '../http/exchange.js';
import { readPayload } from '../http/payload.js';
import { readPassage, readWait } from '../http/read-passage.js';

export interface MessagesApiOptions {
  /** @param early see {@link Router.answer}; whoever knows everything at once may leave it out. */
  readonly route: (
    batch: readonly Message[],
    passage: Passage,
    early?: KnownEarly,
  ) => Receipts | Promise<Receipts>;
  /** Whether clients' sockets end here, rather than at edges. */
  readonly hasDirectClients: () => boolean;
  readonly acknowledgements: Acknowledgements;
  /** Why no receipt can wait for a client; `undefined` where it can. */
  readonly whyNoWait: string | undefined;
  readonly counters: NodeCounters;
  readonly newId: () => string;
  readonly now: () => number;
  /** Time of a request that does not say, in ms. */
  readonly deadlineMs: number;
  /** What this node says of itself to another one with every batch. */
  readonly selfHeaders: () => AnswerHeaders;
  /** How far its moves have come; `undefined` when nobody has to move. */
  readonly moveHeaders: () => AnswerHeaders | undefined;
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
    const waits = readWait(exchange);
    this.#checkWait(waits);
    exchange.spend(1);
    const payload = await readPayload(exchange);
    // asked for the place in the stream even when the receipt waits for nobody: it is said
    const message = { user, ...payload, id, waitForClient: true, repeated: given !== undefined };
    const receipts = await this.#route([message], passage);
    const first = receipts.receipt(0, user);
    const { acknowledgements } = this.#options;
    const receipt = waits ? await acknowledgements.follow(first, passage.deadline, exchange) : first;
    counters.receipts[receipt.status]++;
    answerReceipt(exchange, receipt);
  }

  /** Binary from our own senders and nodes, NDJSON from everybody else. */
  batch(exchange: Exchange): void | Promise<void> {
    const passage = this.#passage(exchange);
    if (exchange.contentType !== batchContentType) return this.#ndjson(exchange, passage);
    this.#options.counters.requests.batch++;
    exchange.whenRead(maxBatchBytes, (body) => this.#binary(exchange, passage, body));
  }

  /** Without a promise where every user is here, as most are. */
  #binary(exchange: Exchange, passage: Passage, body: Buffer): void | Promise<void> {
    const batch = decodeBatch(body);
    exchange.spend(batch.length);
    let later: readonly number[] | undefined;
    const routed = this.#route(batch, passage, (known, places) => {
      later = places;
      const first = encodeFirstPart(known, places);
      exchange.begin(batchContentType, first, this.#selfHeaders(passage));
    });
    if (routed instanceof Promise) {
      return routed.then((receipts) => this.#answerBinary(exchange, passage, receipts, later));
    }
    this.#answerBinary(exchange, passage, routed);
  }

  #answerBinary(exchange: Exchange, passage: Passage, receipts: Receipts, later?: readonly number[]): void {
    // whoever sent them asks for acknowledgements by itself: the others' receipts must not wait
    for (let i = 0; i < receipts.length; i++) this.#options.counters.receipts[receipts.status(i)]++;
    if (later !== undefined) exchange.end(encodeSecondPart(receipts, later));
    else exchange.send(200, batchContentType, receipts.encode(), this.#extraHeaders(passage, receipts));
  }

  #extraHeaders(passage: Passage, { passedOn, length }: Receipts): AnswerHeaders | undefined {
    const self = this.#selfHeaders(passage);
    if (passage.hops > 0 || passedOn.length === 0) return self;
    return { ...self, [headers.passedOn]: writePlaces(passedOn, length) };
  }

  /** What other nodes say of themselves is of use to nodes only, and a sender reads every header of every answer. */
  #selfHeaders({ hops }: Passage): AnswerHeaders | undefined {
    return hops > 0 ? this.#options.selfHeaders() : this.#options.moveHeaders();
  }

  async #ndjson(exchange: Exchange, passage: Passage): Promise<void> {
    this.#options.counters.requests.ndjson++;
    const body = await exchange.readBody(maxBatchBytes);
    // broken ones count, too: to read them is work
    exchange.spend(countLines(body));
    const lines = parseNdjson(body, this.#options.newId);
    const batch = lines.filter((line): line is Message => !(line instanceof PinwheelError));
    this.#checkWait(batch.some(({ waitForClient }) => waitForClient));
    const receipts = await this.#receipts(batch, passage, exchange);
    let next = 0;
    let answer = '';
    for (const line of lines) {
      const said = line instanceof PinwheelError ? line : receipts[next++];
      answer += `${JSON.stringify(said)}\n`;
    }
    exchange.send(200, ndjsonContentType, answer);
  }

  async #receipts(
    batch: readonly Message[],
    passage: Passage,
    exchange: Exchange,
  ): Promise<readonly Receipt[]> {
    const { acknowledgements, counters } = this.#options;
    const routed = await this.#route(batch, passage);
    const receipts = await Promise.all(
      batch.map(({ user, waitForClient }, i) => {
        const first = routed.receipt(i, user);
        return waitForClient ? acknowledgements.follow(first, passage.deadline, exchange) : first;
      }),
    );
    for (const { status } of receipts) counters.receipts[status]++;
    return receipts;
  }

  #checkWait(waits: boolean): void {
    const { whyNoWait } = this.#options;
    if (waits && whyNoWait !== undefined) {
      throw new PinwheelError('bad-request', `wait is client; it must be missing, as ${whyNoWait}`);
    }
  }

  #passage(exchange: Exchange): Passage {
    // its answer would be cut off, and a message that was delivered be sent again
    if (this.#options.counters.unanswered.areLate)
      throw new PinwheelError('unavailable', 'this node has left; ask one that is in the ring');
    return readPassage(exchange, this.#options.now(), this.#options.deadlineMs);
  }

  #route(batch: readonly Message[], passage: Passage, early?: KnownEarly): Receipts | Promise<Receipts> {
    const { route, hasDirectClients } = this.#options;
    if (batch.length === 1 || !hasDirectClients()) return route(batch, passage, early);
    // while uWebSockets.js calls a request's handler it holds its one cork for that request: every message to a
    // client would be a system call of its own
    return new Promise((resolve) => setImmediate(resolve)).then(() => route(batch, passage, early));
  }
}
