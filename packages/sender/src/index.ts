// for the node, which forwards and asks with the same means
export type { AckQuestion } from './ack-client.js';
export {
  isFinal,
  isTimeOver,
  nobodyAcknowledges,
  questionOf,
  timelyMs,
  unacknowledged,
} from './ack-receipts.js';
export type { Ended, Outcome } from './batch-answer.js';
export type { BroadcastReceipt } from './broadcast.js';
export { messageIds } from './message-ids.js';
export { flightsToNode } from './node-client.js';
export { NodeClients, originOf } from './node-clients.js';
export { refusalOf } from './node-pool.js';
export { defaultOutboxLimits, type Landed, Outbox } from './outbox.js';
export { createSender, type Sender, type SenderCounters, type SendOptions } from './sender.js';
export { addSenderMetrics, senderMetrics } from './sender-metrics.js';
export type { SenderOptions } from './sender-options.js';
export type { Traffic } from './traffic.js';
