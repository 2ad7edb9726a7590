import { decodeUserId, PinwheelError, queryText } from '@pinwheel/protocol';
import type { AckQuestion } from '@pinwheel/sender';
import type { NodeCounters } from '../counters/node-counters.js';
import type { Acknowledgements } from '../delivery/acknowledgements.js';
import { answerReceipt } from '../http/answer-receipt.js';
import type { Exchange } from '../http/exchange.js';
import { readPassage } from '../http/read-passage.js';

export interface AcknowledgementsApiOptions {
  readonly acknowledgements: Acknowledgements;
  readonly counters: NodeCounters;
  readonly now: () => number;
  /** Time of a request that does not say, in ms. */
  readonly deadlineMs: number;
}

const maxStreamLength = 64;
const maxSeq = 0xffff_ffff;

/** `GET /v1/users/{user}/acknowledgements?stream=…&seq=…`: answers when it is settled, or when the time is over. */
export class AcknowledgementsApi {
  readonly #options: AcknowledgementsApiOptions;

  constructor(options: AcknowledgementsApiOptions) {
    this.#options = options;
  }

  async acknowledgement(exchange: Exchange, encodedUser: string): Promise<void> {
    const { acknowledgements, counters, now, deadlineMs } = this.#options;
    counters.requests.acknowledgement++;
    const passage = readPassage(exchange, now(), deadlineMs);
    const question = readQuestion(decodeUserId(encodedUser), exchange.query);
    answerReceipt(exchange, await acknowledgements.receiptOf(question, passage, exchange));
  }
}

/** @throws PinwheelError `bad-request` that names the parameter, the value and the bound. */
function readQuestion(user: string, query: string): AckQuestion {
  const stream = queryText(query, 'stream') ?? '';
  if (stream === '' || stream.length > maxStreamLength) {
    throw new PinwheelError(
      'bad-request',
      `stream has ${stream.length} characters; it must have 1 to ${maxStreamLength}`,
    );
  }
  const text = queryText(query, 'seq') ?? '';
  const seq = /^[0-9]{1,10}$/.test(text) ? Number(text) : 0;
  if (seq < 1 || seq > maxSeq) {
    throw new PinwheelError(
      'bad-request',
      `seq is ${JSON.stringify(text.slice(0, 80))}; it must be a whole number between 1 and ${maxSeq}`,
    );
  }
  return { user, stream, seq };
}
