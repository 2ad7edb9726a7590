import type { Holder } from '@pinwheel/holder';
import type { Log } from '@pinwheel/membership';
import { decodeBatch, type Message, PinwheelError, type Receipts, readQueueFrame } from '@pinwheel/protocol';
import type { Queue } from '@pinwheel/strategy';
import { createQueueCounters, type QueueCounters } from '../counters/queue-counters.js';
import { deliverToEverybody } from '../delivery/everybody.js';
import type { Passage } from '../delivery/passage.js';

export interface QueueIntakeOptions {
  readonly queue: Queue;
  readonly topics: readonly string[];
  /**
   * Whether what comes for a user who has moved on is passed on, however long ago that was. Where the node that has the
   * user now hears it, too, only for a moment: that node may have been ahead, and have heard it when the user was here.
   */
  readonly followsMoves: boolean;
  readonly holder: Holder;
  readonly route: (batch: readonly Message[], passage: Passage) => Receipts | Promise<Receipts>;
  readonly newId: () => string;
  readonly now: () => number;
  readonly log: Log;
  /** The queue is there again. */
  readonly back: () => void;
}

const subscribeMs = 5000;
/** Messages for a user who is on the way to another node wait for it so long, in ms. */
const deadlineMs = 5000;
/** So far a node may be behind another one in what both hear, in ms; less than `overlapMs`. */
const lagMs = 2000;
/** So long after users have come here from other nodes the same message may still come by both, in ms. */
const overlapMs = 5000;
/** Messages for everybody that may wait for those before them, in bytes: nobody who posts one is told to slow down. */
const maxBroadcastBytes = 16 * 1_048_576;
/** What one takes beside its payload. */
const broadcastBytes = 256;

/** Takes what comes by a queue to the users who are here. */
export class QueueIntake {
  readonly counters: QueueCounters = createQueueCounters();
  readonly #options: QueueIntakeOptions;
  #end: (() => Promise<void>) | undefined;
  #isUp = false;
  #taken = 0;
  #overlapsUntil = 0;
  /** One at a time, so that everybody has them in one order. */
  #broadcasting = Promise.resolve();
  #broadcastBytes = 0;

  constructor(options: QueueIntakeOptions) {
    this.#options = options;
  }

  /** Whether this node hears what is posted. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** @throws PinwheelError (rejects) `unavailable` when the queue does not answer within five seconds. */
  async start(): Promise<void> {
    const { queue, topics, log, back } = this.#options;
    const listener = {
      message: (bytes: Buffer) => this.#take(bytes),
      away: ({ message }: Error) => {
        this.#isUp = false;
        this.counters.losses++;
        log.error(
          { queue: queue.description, error: message },
          'the queue is away: what is posted meanwhile does not come here; it is connected to again',
        );
      },
      back: () => {
        this.#isUp = true;
        log.info({ queue: queue.description }, 'the queue is there again');
        back();
      },
    };
    this.#end = await queue.subscribe(topics, listener, subscribeMs);
    this.#isUp = true;
  }

  async close(): Promise<void> {
    this.#isUp = false;
    await this.#end?.();
  }

  #take(bytes: Buffer): void {
    try {
      this.#read(bytes);
    } catch (thrown) {
      if (++this.counters.unreadable > 1) return;
      const { message } = PinwheelError.from(thrown);
      this.#options.log.warn(
        { queue: this.#options.queue.description, error: message },
        'a post cannot be read and is dropped; the next ones are only counted',
      );
    }
  }

  #read(bytes: Buffer): void {
    const { counters } = this;
    counters.bytes += bytes.length;
    const frame = readQueueFrame(bytes);
    if (frame.kind === 'everybody') {
      counters.copies++;
      this.#toEverybody(frame);
      return;
    }
    const { holder, followsMoves, route, now } = this.#options;
    let isMoving = this.#mayOverlap();
    const justNow = holder.now - lagMs;
    const batch = decodeBatch(frame.batch, (user) => {
      counters.copies++;
      const known = holder.users.known(user);
      if (known === undefined || (known.kind === 'released' && !followsMoves && known.heldUntil < justNow)) {
        counters.unwanted++;
        return false;
      }
      if (known.kind !== 'held' || known.isFrozen) isMoving = true;
      return true;
    });
    if (batch.length === 0) return;
    const passage = { hops: 0, noForward: false, deadline: now() + deadlineMs };
    // nobody is told what became of them: who published them has been told that nobody answers
    void route(isMoving ? batch.map(asRepeated) : batch, passage);
  }

  #toEverybody({ data, binary }: Pick<Message, 'data' | 'binary'>): void {
    const { holder, newId, queue, log } = this.#options;
    const bytes = data.length + broadcastBytes;
    if (this.#broadcastBytes + bytes > maxBroadcastBytes) {
      if (++this.counters.broadcastsDropped > 1) return;
      log.error(
        { queue: queue.description, waitingBytes: this.#broadcastBytes, maxBroadcastBytes },
        'too many messages for everybody wait to be written, or for users who move; one is dropped, the next are only counted',
      );
      return;
    }
    this.#broadcastBytes += bytes;
    const broadcast = async (walked: () => void): Promise<void> => {
      try {
        holder.beforeDelivery();
        await deliverToEverybody(holder, { data, binary, id: newId() }, walked);
      } catch (thrown) {
        log.error(
          { error: PinwheelError.from(thrown).message },
          'a message for everybody was not written to all',
        );
      } finally {
        this.#broadcastBytes -= bytes;
        walked();
      }
    };
    // who is about to leave holds up nobody else
    this.#broadcasting = this.#broadcasting.then(() => new Promise<void>((walked) => void broadcast(walked)));
  }

  /** Whether users have come here from other nodes just now. */
  #mayOverlap(): boolean {
    const { holder, now } = this.#options;
    const { committed, merged, orphaned } = holder.copies.counters;
    const taken = committed + merged + orphaned;
    if (taken !== this.#taken) {
      this.#taken = taken;
      this.#overlapsUntil = now() + overlapMs;
    }
    return now() < this.#overlapsUntil;
  }
}

/**
 * The node that a user moves to and the one that it comes from may both hear a message: whichever copy comes second is
 * known by its id.
 */
function asRepeated(message: Message): Message {
  return { ...message, repeated: true };
}
