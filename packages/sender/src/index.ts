export type { BroadcastReceipt } from './broadcast.js';
// for the node, which forwards with the same means
export { messageIds } from './message-ids.js';
export type { Outcome } from './node-client.js';
export { NodeClients, originOf } from './node-clients.js';
export { defaultOutboxLimits, Outbox } from './outbox.js';
export { createSender, type Sender, type SenderCounters, type SendOptions } from './sender.js';
export { addSenderMetrics, senderMetrics } from './sender-metrics.js';
export type { SenderOptions } from './sender-options.js';
