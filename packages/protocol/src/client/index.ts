export { checkWhole } from '../check-whole.js';
/**
 * What a client of `pinwheel.v1` needs, in a browser too: nothing from here on imports anything of Node.js.
 */
export { type CloseCode, closeCodes, closeReasonOf, shouldReconnect } from '../close-codes.js';
export { maxPositions, maxStreamBytes, maxTokenBytes } from '../field-bounds.js';
export { isMessageId, maxIdBytes, maxMessageBytes, maxUserBytes } from '../message.js';
export {
  type ErrorCode,
  type ErrorDetail,
  errorCodes,
  isErrorCode,
  PinwheelError,
} from '../pinwheel-error.js';
export { parseClientControl } from './client-control.js';
export { decodeClientFrame, encodeClientFrame, markRepeated, maxClientFrameBytes } from './client-frame.js';
export {
  type ClientControl,
  type ClientFrame,
  type ClientReceipt,
  clientProtocol,
  type ServerControl,
  type ServerFrame,
} from './frames.js';
export { parseServerControl } from './server-control.js';
export { decodeServerFrame, encodeServerFrame } from './server-frame.js';
