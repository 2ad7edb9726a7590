import type { PinwheelError, Receipt } from '@pinwheel/protocol';
import type { AckQuestion, AskOptions } from './ack-client.js';
import type { Ended } from './batch-answer.js';
import type { BroadcastReceipt } from './broadcast.js';
import type { Pending } from './pending.js';
import type { Moved } from './ring-places.js';
import type { Traffic } from './traffic.js';

/** How a sender's batches reach those who have their users; one for each strategy. */
export interface Transport {
  readonly traffic: Readonly<Traffic>;
  /** Most bytes of a batch that it can carry. */
  readonly maxBatchBytes: number;
  /** Small batches that may be on their way to one place at a time. */
  readonly maxFlights: number;
  /** Why a receipt cannot wait for a client; `undefined` where it can. */
  readonly whyNoWait: string | undefined;
  /**
   * Resolves when it knows where users are.
   *
   * @param changed called whenever users may have another place than before, with those when it is known who.
   * @throws PinwheelError (rejects) when it never will.
   */
  start(changed: (moved?: Moved) => void): Promise<void>;
  /** Where a user's messages are sent: those for one place share batches. `undefined`: nowhere at this time. */
  placeOf(user: string): string | undefined;
  /** Why there is no place for a user. */
  whyNowhere(): PinwheelError;
  /** Sends a batch to a place and says what became of it. Never fails. */
  post(place: string, batch: readonly Pending[], deadlineMs: number, ended: Ended<Pending>): void;
  /**
   * Asks what of a message has been acknowledged.
   *
   * @throws PinwheelError (rejects) when no answer came.
   */
  ask(place: string, question: AckQuestion, options: AskOptions): Promise<Receipt>;
  /**
   * To every connected user.
   *
   * @throws PinwheelError (rejects) when nobody took it, or that is not known.
   */
  broadcast(data: string | Uint8Array, binary: boolean, deadlineMs: number): Promise<BroadcastReceipt>;
  /** What it knows seems to be out of date. Cheap to call often. */
  refresh(): void;
  /** Ends its connections, but not what it was given. */
  close(): Promise<void>;
}
