export { BatchWriter, batchContentType, batchedBytes, decodeBatch, type OutgoingMessage } from './batch.js';
export { type CloseCode, closeCodes, closeReasonOf, shouldReconnect } from './close-codes.js';
export { headers, maxDeadlineMs, maxHops } from './headers.js';
export {
  isMessageId,
  type Message,
  maxBatchBytes,
  maxBatchMessages,
  maxIdBytes,
  maxMessageBytes,
  maxUserBytes,
} from './message.js';
export { type NdjsonLine, ndjsonContentType, parseNdjson } from './ndjson.js';
export {
  type ErrorCode,
  type ErrorDetail,
  errorCodes,
  isErrorCode,
  PinwheelError,
} from './pinwheel-error.js';
export { httpStatusOfReceipt, type Receipt, type ReceiptStatus } from './receipt.js';
export { type ReceiptDetail, Receipts } from './receipts.js';
export { decodeUserId, parseUserId, queryText, rawQueryValue } from './user-id.js';
