import { decodeBatch, PinwheelError, readQueueFrame } from '@pinwheel/protocol';
import type { Post, Posted, Queue, Route, Routes } from '@pinwheel/strategy';
import type { Test } from 'tap';
import { createSender, type SenderOptions } from '../../src/index.js';

export const taken: Posted = { kind: 'taken', receivers: 1 };
export const toNobody: Posted = { kind: 'taken', receivers: 0 };
export const broke: Posted = {
  kind: 'failed',
  error: new PinwheelError('unknown-outcome', 'the connection broke'),
};

/** One post, as it was when it was handed over and as it is now. */
interface Seen extends Post {
  readonly copy: Buffer;
  /** Of the call. */
  readonly deadlineMs: number;
}

/** A queue whose posts end as a test says, by their topic; it remembers them. */
export class ScriptedQueue implements Queue {
  readonly description = 'a queue';
  maxPostBytes = 1_000_000;
  calls = 0;
  readonly seen: Seen[] = [];
  readonly #end: (topic: string, count: number, bytes: Uint8Array) => Posted;

  constructor(end: (topic: string, count: number, bytes: Uint8Array) => Posted) {
    this.#end = end;
  }

  get posted(): string[] {
    return this.seen.map(({ topic }) => topic);
  }

  async publish(posts: readonly Post[], deadlineMs: number): Promise<readonly Posted[]> {
    this.calls++;
    return posts.map(({ topic, bytes }) => {
      this.seen.push({ topic, bytes, copy: Buffer.from(bytes), deadlineMs });
      return this.#end(topic, this.seen.length, bytes);
    });
  }

  async subscribe(): Promise<() => Promise<void>> {
    throw new Error('nobody subscribes');
  }

  async close(): Promise<void> {}
}

/** For whom a post was, and with what. */
export function messagesIn({ copy }: Seen): readonly string[] {
  const frame = readQueueFrame(copy);
  if (frame.kind !== 'messages') throw new Error(`a post for ${frame.kind}`);
  return decodeBatch(frame.batch).map(({ user, data }) => `${user} ${Buffer.from(data)}`);
}

export function routesOf(users: Readonly<Record<string, readonly string[]>>): Routes {
  return {
    description: 'routes',
    write: async () => [],
    read: async (asked) =>
      asked.map((user) => (users[user] ?? []).map((where): Route => ({ where, lease: '1' }))),
    remove: async () => {},
    close: async () => {},
  };
}

/** Closed with the test. */
export function senderOf(
  t: Test,
  strategy: SenderOptions['strategy'] & {},
  options: Omit<SenderOptions, 'strategy'> = {},
) {
  const sender = createSender({ strategy, deadlineMs: 5000, ...options });
  t.teardown(() => sender.close());
  return sender;
}
