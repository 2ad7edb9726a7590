import { headers, httpStatusOfReceipt, type Receipt } from '@pinwheel/protocol';
import type { AnswerHeaders, Exchange } from './exchange.js';

/** Answers a request about one message: the receipt, with the HTTP status that says the same. */
export function answerReceipt(exchange: Exchange, receipt: Receipt): void {
  exchange.json(httpStatusOfReceipt(receipt), receipt, headersOf(receipt));
}

function headersOf(receipt: Receipt): AnswerHeaders {
  const again = { 'retry-after': '1' };
  if (receipt.status === 'not-owner' && receipt.owner !== undefined)
    return { ...again, [headers.owner]: receipt.owner };
  return receipt.status === 'overloaded' ? again : {};
}
