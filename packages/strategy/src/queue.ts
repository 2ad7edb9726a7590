import type { PinwheelError } from '@pinwheel/protocol';

/** Bytes for whoever listens to a topic. */
export interface Post {
  readonly topic: string;
  readonly bytes: Uint8Array;
}

/**
 * What became of a post. `receivers`: how many listened, where the queue says so. It failed with `unreachable` or
 * `too-large`: the queue has not taken it; with `unknown-outcome` or `deadline`: it may have.
 */
export type Posted =
  | { readonly kind: 'taken'; readonly receivers: number | undefined }
  | { readonly kind: 'failed'; readonly error: PinwheelError };

export interface QueueListener {
  /** Whatever was posted, in the order of each publisher's posts. The bytes are the listener's to keep. */
  message(bytes: Buffer): void;
  /** The queue is away; what is posted meanwhile is lost for this listener. Called once until `back`. */
  away(error: Error): void;
  /** It is there again, and this listener is subscribed. */
  back(): void;
}

/**
 * A message queue with topics, at most once: who does not listen when something is posted does not get it. It connects
 * by itself, again and again, and its users need not.
 */
export interface Queue {
  /** For logs and errors, without secrets: `redis 127.0.0.1:6379`. */
  readonly description: string;
  /** Largest post, in bytes. Known for certain only while the queue is there. */
  readonly maxPostBytes: number;
  /**
   * Hands posts over, in their order, in one go. Never rejects. Bytes must stay as they are until it resolves.
   *
   * @returns what became of each, by `deadlineMs` at the latest.
   */
  publish(posts: readonly Post[], deadlineMs: number): Promise<readonly Posted[]>;
  /**
   * Begins to listen to topics, which must differ from those of earlier calls. Resolves when the queue has said that it
   * does; an absence later is the listener's news.
   *
   * @returns the call that ends it, which may be made twice.
   * @throws PinwheelError (rejects) `unavailable` when that takes more than `deadlineMs`.
   */
  subscribe(
    topics: readonly string[],
    listener: QueueListener,
    deadlineMs: number,
  ): Promise<() => Promise<void>>;
  /** Ends its connections. May be called twice. */
  close(): Promise<void>;
}
