export { BatchWriter, batchContentType, batchedBytes, decodeBatch, type OutgoingMessage } from './batch.js';
export { checkWhole } from './check-whole.js';
export { parseClientControl } from './client/client-control.js';
export {
  clientHeadBytes,
  decodeClientFrame,
  encodeClientFrame,
  markRepeated,
  maxClientFrameBytes,
  viewClientFrame,
} from './client/client-frame.js';
export {
  type ClientControl,
  type ClientFrame,
  type ClientReceipt,
  clientProtocol,
  type ServerControl,
  type ServerFrame,
} from './client/frames.js';
export { parseServerControl } from './client/server-control.js';
export { decodeServerFrame, encodeServerFrame } from './client/server-frame.js';
export { type CloseCode, closeCodes, closeReasonOf, shouldReconnect } from './close-codes.js';
export {
  maxFingerprintBytes,
  maxHandoffBytes,
  maxIncarnationBytes,
  maxKeyBytes,
  maxMemberBytes,
  maxPositions,
  maxReasonBytes,
  maxStreamBytes,
  maxTokenBytes,
  maxU32,
} from './field-bounds.js';
export { headers, maxDeadlineMs, maxHops } from './headers.js';
export { EdgeFrameWriter } from './link/edge-frame-writer.js';
export {
  type Attached,
  type AttachRequest,
  type EdgeFrames,
  type FrameInPlace,
  linkVersion,
  maxLinkMessageBytes,
  type NodeFrames,
  type NodeFramesIn,
  type NodeFramesOut,
  type Position,
} from './link/frames.js';
export { NodeFrameWriter } from './link/node-frame-writer.js';
export { readEdgeFrames } from './link/read-edge-frames.js';
export { readNodeFrames } from './link/read-node-frames.js';
export { decodeReceipt } from './link/receipt-json.js';
export {
  isMessageId,
  type Message,
  maxBatchBytes,
  maxBatchMessages,
  maxIdBytes,
  maxMessageBytes,
  maxUserBytes,
} from './message.js';
export { countLines, type NdjsonLine, ndjsonContentType, parseNdjson } from './ndjson.js';
export {
  type ErrorCode,
  type ErrorDetail,
  errorCodes,
  isErrorCode,
  PinwheelError,
} from './pinwheel-error.js';
export { readPlaces, writePlaces } from './places.js';
export {
  everybodyFrame,
  type QueueFrame,
  queueFrameVersion,
  queueHeadBytes,
  readQueueFrame,
  writeMessagesHead,
} from './queue-frame.js';
export { httpStatusOfReceipt, type Receipt, type ReceiptStatus, receiptStatuses } from './receipt.js';
export {
  decodeFirstPart,
  decodeSecondPart,
  encodeFirstPart,
  encodeSecondPart,
  type FirstPart,
} from './receipt-parts.js';
export { type ReceiptDetail, Receipts } from './receipts.js';
export { decodeUserId, parseUserId, queryText, rawQueryValue } from './user-id.js';
export { withoutSecret } from './without-secret.js';
