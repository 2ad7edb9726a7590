import { counter, gauge, histogram, type Metrics, readingsOf } from '@pinwheel/metrics';
import type { Sender } from './sender.js';

/** Every metric of a sender. No label has a user in it. */
export const senderMetrics = {
  receipts: counter('pinwheel_sender_receipts_total', 'Receipts of messages for users, by status.', {
    status: ['delivered', 'queued', 'published', 'offline', 'overloaded', 'not-owner'],
  }),
  batches: counter(
    'pinwheel_sender_batches_total',
    'Requests to nodes, or to a queue, with messages for users.',
  ),
  batchedMessages: counter('pinwheel_sender_batched_messages_total', 'Messages in those requests.'),
  copies: counter(
    'pinwheel_sender_copies_total',
    'Payload copies handed to nodes, or to a queue, of what is for everybody, too; above the messages when they are tried again or go to several.',
  ),
  copiedBytes: counter('pinwheel_sender_copied_bytes_total', 'Their size in bytes, as encoded.'),
  batchSeconds: histogram(
    'pinwheel_sender_batch_seconds',
    'Time of a request with messages for users, from its first byte to its receipts.',
  ),
  retries: counter('pinwheel_sender_retries_total', 'Messages that were tried again.'),
  refused: counter('pinwheel_sender_refused_total', 'Messages refused at the bound of the queue.'),
  queuedMessages: gauge('pinwheel_sender_queued_messages', 'Messages without a receipt.'),
  queuedBytes: gauge('pinwheel_sender_queued_bytes', 'Their size in bytes, at most.'),
  waitingUsers: gauge('pinwheel_sender_waiting_users', 'Users whose messages wait for an earlier one.'),
  waitingForClients: gauge(
    'pinwheel_sender_waiting_for_clients',
    'Messages that were taken and wait for the acknowledgement of their clients.',
  ),
} as const;

/** Adds a sender's metrics to a registry. Call once per registry. */
export function addSenderMetrics(metrics: Metrics, sender: Sender): void {
  sender.observeBatches(metrics.addHistogram(senderMetrics.batchSeconds));
  const dispatch = () => sender.counters().dispatch;
  metrics.add(senderMetrics.receipts, () => readingsOf(dispatch().receipts));
  metrics.add(senderMetrics.batches, () => dispatch().batches);
  metrics.add(senderMetrics.batchedMessages, () => dispatch().batchedMessages);
  metrics.add(senderMetrics.copies, () => sender.counters().traffic.copies);
  metrics.add(senderMetrics.copiedBytes, () => sender.counters().traffic.bytes);
  metrics.add(senderMetrics.retries, () => dispatch().retries);
  metrics.add(senderMetrics.refused, () => dispatch().refused);
  metrics.add(senderMetrics.queuedMessages, () => sender.counters().queuedMessages);
  metrics.add(senderMetrics.queuedBytes, () => sender.counters().queuedBytes);
  metrics.add(senderMetrics.waitingUsers, () => sender.counters().waitingUsers);
  metrics.add(senderMetrics.waitingForClients, () => sender.counters().waitingForClients);
}
