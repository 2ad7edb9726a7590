import { performance } from 'node:perf_hooks';
import { backgroundClock, createRingTracker, type RingState, type RingTracker } from '@pinwheel/membership';
import { PinwheelError, type Receipt } from '@pinwheel/protocol';
import type { Queue } from '@pinwheel/strategy';
import { Signer } from '@pinwheel/trust';
import type { AckQuestion, AskOptions } from './ack-client.js';
import type { Ended } from './batch-answer.js';
import { type BroadcastReceipt, broadcastThrough } from './broadcast.js';
import { flightsToNode, type NodeClient } from './node-client.js';
import { NodeClients } from './node-clients.js';
import type { Pending } from './pending.js';
import { postToEverybody } from './post-to-everybody.js';
import { type Moved, RingPlaces } from './ring-places.js';
import type { SenderOptions } from './sender-options.js';
import type { Transport } from './transport.js';

export interface RingTransportOptions {
  readonly source: Pick<SenderOptions, 'membership' | 'tracker' | 'ringSettings' | 'keys' | 'log'>;
  /** What is for everybody goes through it, else through a node. */
  readonly everybody: { readonly queue: Queue; readonly topic: string } | undefined;
  /** Has every request's time, in seconds. */
  readonly observe: (seconds: number) => void;
}

/** One call to the node that has the user by the ring, or had it before the ring changed. */
export class RingTransport implements Transport {
  readonly maxBatchBytes = Number.POSITIVE_INFINITY;
  readonly maxFlights = flightsToNode;
  readonly whyNoWait = undefined;
  readonly #clients: NodeClients;
  readonly #options: RingTransportOptions;
  readonly #tracker: RingTracker;
  readonly #ownsTracker: boolean;
  readonly #places = new RingPlaces(backgroundClock.after, () => this.#changed());
  #changed: (moved?: Moved) => void = () => {};
  #startError: PinwheelError | undefined;
  #unsubscribe: () => void = () => {};

  constructor(options: RingTransportOptions) {
    this.#options = options;
    const { membership, tracker, ringSettings = {}, keys, log } = options.source;
    this.#clients = new NodeClients(keys === undefined ? undefined : new Signer(keys));
    this.#ownsTracker = tracker === undefined;
    this.#tracker =
      tracker ??
      createRingTracker({
        membership: membership!,
        settings: ringSettings,
        // whoever holds the sender may have been started before the source of members
        startDeadlineMs: Number.POSITIVE_INFINITY,
        ...(log === undefined ? {} : { log }),
      });
  }

  get traffic() {
    return this.#clients.traffic;
  }

  async start(changed: (moved?: Moved) => void): Promise<void> {
    this.#changed = changed;
    try {
      if (this.#ownsTracker) await this.#tracker.start();
    } catch (thrown) {
      this.#startError = PinwheelError.from(thrown, 'membership');
      throw this.#startError;
    }
    const follow = (current: RingState): void => {
      this.#places.ringChanged(current);
      changed();
      this.#clients.keepOnly(current.members);
    };
    this.#unsubscribe = this.#tracker.subscribe(follow);
    follow(this.#tracker.current);
  }

  placeOf(user: string): string | undefined {
    return this.#places.placeOf(user);
  }

  whyNowhere(): PinwheelError {
    if (this.#startError !== undefined) return this.#startError;
    if (this.#places.state !== undefined) return new PinwheelError('unavailable', 'the ring has no members');
    const { sourceError } = this.#tracker.status();
    if (sourceError === undefined) return new PinwheelError('unavailable', 'there is no ring yet');
    return new PinwheelError('membership', `there is no ring yet: ${sourceError}`);
  }

  post(id: string, batch: readonly Pending[], deadlineMs: number, ended: Ended<Pending>): void {
    void this.#post(id, batch, deadlineMs, (items, outcome) => {
      const moved = this.#places.answered(id, items, outcome);
      if (moved !== undefined) this.#changed(moved);
      ended(items, outcome);
    });
  }

  async #post(
    id: string,
    batch: readonly Pending[],
    deadlineMs: number,
    ended: Ended<Pending>,
  ): Promise<void> {
    let client: NodeClient;
    try {
      client = this.#clientOf(id);
    } catch (thrown) {
      ended(batch, { kind: 'failed', error: PinwheelError.from(thrown) });
      return;
    }
    const start = performance.now();
    await client.post(batch, { deadlineMs }, ended);
    this.#options.observe((performance.now() - start) / 1000);
  }

  async ask(id: string, question: AckQuestion, options: AskOptions): Promise<Receipt> {
    return this.#clientOf(id).acknowledgement(question, options);
  }

  async broadcast(data: string | Uint8Array, binary: boolean, deadlineMs: number): Promise<BroadcastReceipt> {
    const { everybody } = this.#options;
    if (everybody !== undefined) {
      return postToEverybody(everybody, data, binary, deadlineMs, this.#clients.traffic);
    }
    return broadcastThrough(this.#tracker.current, this.#clients, data, binary, deadlineMs);
  }

  refresh(): void {
    void this.#tracker.refresh();
  }

  async close(): Promise<void> {
    this.#places.stop();
    this.#unsubscribe();
    await this.#clients.close();
    if (this.#ownsTracker) await this.#tracker.close();
  }

  #clientOf(id: string): NodeClient {
    const member = this.#places.state?.members.get(id);
    if (member === undefined) throw new PinwheelError('unreachable', `member ${id} has left`);
    if (member.kind === 'foreign') {
      const why = `member ${id} is no Pinwheel node; a foreign backend is reached through an edge only`;
      throw new PinwheelError('bad-request', why);
    }
    return this.#clients.of(member);
  }
}
