export type {
  Application,
  ConnectEvent,
  DisconnectEvent,
  MessageEvent,
  SessionEvent,
} from './application/application.js';
export { type WebhookOptions, webhookApplication } from './application/webhook.js';
export { createNode, type PinwheelNode } from './node.js';
// for the documents and their tests
export { nodeMetrics } from './node-metrics.js';
export type { NodeOptions } from './node-options.js';
