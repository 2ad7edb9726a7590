import { BatchWriter, type OutgoingMessage, queueHeadBytes, writeMessagesHead } from '@pinwheel/protocol';

/** Writes messages as posts, into buffers that are used again. */
export class QueueWriters {
  readonly #idle: BatchWriter[] = [];
  #busy: BatchWriter[] = [];

  /** The messages as one post, a view that stays as it is until {@link release}. */
  write(messages: readonly OutgoingMessage[]): Uint8Array {
    const writer = this.#idle.pop() ?? new BatchWriter(queueHeadBytes);
    this.#busy.push(writer);
    const bytes = writer.write(messages);
    writeMessagesHead(bytes);
    return bytes;
  }

  /** The posts that were written have been read. One that may still be on its way must not be written over. */
  release(areRead: boolean): void {
    if (areRead) this.#idle.push(...this.#busy);
    this.#busy = [];
  }
}
