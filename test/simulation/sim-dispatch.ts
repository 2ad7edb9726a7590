import type { RingState } from '@pinwheel/membership';
import { PinwheelError, type Receipt } from '@pinwheel/protocol';
import { Dispatch, type DispatchLimits, Pending, RingPlaces } from './mechanisms.js';
import type { SimMessages } from './sim-messages.js';
import type { SimProcess } from './sim-process.js';
import type { SimTracker } from './sim-tracker.js';

const limits: DispatchLimits = {
  maxBatchMessages: 64,
  maxBatchBytes: 1_048_576,
  maxFlights: 4,
  maxQueuedMessages: 10_000,
  maxQueuedBytes: 67_108_864,
  maxAttempts: 8,
  deadlineMs: 5000,
};

/** The sending half of a process: the real dispatch over the simulated network. */
export class SimDispatch {
  readonly dispatch: Dispatch;
  readonly #places: RingPlaces;
  readonly #process: SimProcess;
  #order = 0;

  constructor(process: SimProcess, tracker: () => SimTracker, messages: SimMessages) {
    this.#process = process;
    this.#places = new RingPlaces(process.clock.after, () => this.dispatch.ringChanged());
    this.dispatch = new Dispatch(
      {
        clock: process.clock,
        random: process.random,
        ownerOf: (user) => this.#places.placeOf(user),
        whyNobody: () => new PinwheelError('unavailable', 'the ring has no members'),
        post: (member, batch, deadlineMs, ended) => {
          void messages.post(process, member, batch, { deadlineMs }, (items, outcome) => {
            const moved = this.#places.answered(member, items, outcome);
            if (moved !== undefined) this.dispatch.usersMoved(moved);
            ended(items, outcome);
          });
        },
        // nothing that is sent here waits for a client
        ask: () => Promise.reject(new PinwheelError('unavailable', 'nobody is asked for acknowledgements')),
        refreshRing: () => tracker().refresh(),
      },
      limits,
    );
  }

  ringChanged(state: RingState): void {
    this.#places.ringChanged(state);
    this.dispatch.ringChanged();
  }

  /** @param id when it may have been sent before; otherwise one is made. */
  send(user: string, data: string | Uint8Array, timeoutMs: number, id?: string): Promise<Receipt> {
    const order = this.#order++;
    const deadline = Math.ceil(this.#process.clock.now() + timeoutMs);
    const { incarnation } = this.#process;
    return new Promise((resolve) => {
      const named = id ?? ((number: number): string => `${incarnation}-${number}`);
      this.dispatch.send(new Pending(user, data, false, named, order, deadline, resolve));
    });
  }
}
