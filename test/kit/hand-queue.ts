import { BatchWriter, type OutgoingMessage, queueHeadBytes, writeMessagesHead } from '@pinwheel/protocol';
import type { Post, Posted, Queue, QueueListener } from '@pinwheel/strategy';

/** A queue in memory whose listeners a test posts to, and which it takes away. */
export class HandQueue implements Queue {
  readonly description = 'a queue by hand';
  readonly maxPostBytes = 1_048_576;
  readonly listeners: QueueListener[] = [];
  topics: readonly string[] = [];

  async publish(posts: readonly Post[]): Promise<readonly Posted[]> {
    for (const { bytes } of posts) this.post(bytes);
    return posts.map(() => ({ kind: 'taken', receivers: this.listeners.length }));
  }

  async subscribe(topics: readonly string[], listener: QueueListener): Promise<() => Promise<void>> {
    this.topics = topics;
    this.listeners.push(listener);
    return async () => {};
  }

  async close(): Promise<void> {}

  post(bytes: Uint8Array): void {
    for (const listener of this.listeners) listener.message(Buffer.from(bytes));
  }
}

/** A post of these messages; for anne, if nothing is said. */
export function postOf(...messages: readonly Partial<OutgoingMessage>[]): Uint8Array {
  const whole = messages.map((message, i) => ({
    ...{ user: 'anne', data: 'x', binary: false, id: `m${i}`, waitForClient: false, repeated: false },
    ...message,
  }));
  const bytes = new BatchWriter(queueHeadBytes).write(whole);
  writeMessagesHead(bytes);
  return Uint8Array.from(bytes);
}
