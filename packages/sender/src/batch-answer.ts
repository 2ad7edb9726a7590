import type { IncomingHttpHeaders } from 'node:http';
import {
  decodeFirstPart,
  decodeSecondPart,
  headers as names,
  PinwheelError,
  Receipts,
  readPlaces,
} from '@pinwheel/protocol';

/** What became of a batch that was posted, or of a part of it. */
export type Outcome =
  | {
      readonly kind: 'answered';
      /** They know, too, which messages the node passed on to another one. */
      readonly receipts: Receipts;
      /** How many users the node holds that its ring gives to another, and the ring it says that of. */
      readonly foreignUsers: number;
      readonly fingerprint: string;
      /** The turn at which its moves are by that ring: earlier ones have gone. */
      readonly turn: number;
    }
  | {
      readonly kind: 'failed';
      readonly error: PinwheelError;
      /** The node has answered the others of the batch. */
      readonly isRest?: boolean;
    };

/** Is told what became of a batch, once of each message: of all at once, or of some before the rest. */
export type Ended<Item> = (items: readonly Item[], outcome: Outcome) => void;

/**
 * A node's answer to a batch as it comes in: in one part or in two, so that a message which has somewhere else to go holds
 * up no other's receipt.
 */
export class BatchAnswer<Item> {
  readonly #node: string;
  readonly #batch: readonly Item[];
  readonly #ended: Ended<Item>;
  /** Those without an outcome. */
  #rest: readonly Item[];
  /** Where in the answer the second part begins; `undefined` as long as there is no first one. */
  #secondAt: number | undefined;

  /** @param node as an error names it. */
  constructor(node: string, batch: readonly Item[], ended: Ended<Item>) {
    this.#node = node;
    this.#batch = batch;
    this.#rest = batch;
    this.#ended = ended;
  }

  /**
   * More of the answer has come.
   *
   * @throws PinwheelError `unknown-outcome` when it cannot be read.
   */
  came(soFar: Buffer, headers: IncomingHttpHeaders): void {
    if (this.#secondAt !== undefined) return;
    const first = this.#read(() => decodeFirstPart(soFar, this.#batch.length));
    if (first === undefined) return;
    const later = new Set(first.later);
    this.#rest = this.#batch.filter((_, place) => later.has(place));
    this.#secondAt = first.end;
    const known = this.#batch.filter((_, place) => !later.has(place));
    this.#ended(known, answered(first.receipts, headers));
  }

  /**
   * The whole answer has come.
   *
   * @throws PinwheelError `unknown-outcome` when it cannot be read.
   */
  whole(answer: Buffer, headers: IncomingHttpHeaders): void {
    this.came(answer, headers);
    const at = this.#secondAt;
    const { length } = this.#rest;
    const receipts = this.#read(() =>
      at === undefined ? inOnePart(answer, length, headers) : decodeSecondPart(answer.subarray(at), length),
    );
    this.#ended(this.#rest, answered(receipts, headers));
  }

  /** No answer will come any more, or one that cannot be read. */
  failed(error: PinwheelError): void {
    this.#ended(this.#rest, { kind: 'failed', error, isRest: this.#secondAt !== undefined });
  }

  /** An answer that cannot be read says nothing about what became of the batch. */
  #read<T>(read: () => T): T {
    try {
      return read();
    } catch (cause) {
      const why = PinwheelError.from(cause).message;
      throw new PinwheelError('unknown-outcome', `node ${this.#node} answered nonsense: ${why}`, { cause });
    }
  }
}

function inOnePart(answer: Buffer, length: number, headers: IncomingHttpHeaders): Receipts {
  const receipts = Receipts.decode(answer, length);
  const passedOn = headers[names.passedOn];
  if (passedOn !== undefined) receipts.notePassedOn(readPlaces(String(passedOn), length));
  return receipts;
}

function answered(receipts: Receipts, headers: IncomingHttpHeaders): Outcome {
  return {
    kind: 'answered',
    receipts,
    foreignUsers: Number(headers[names.foreignUsers] ?? 0),
    fingerprint: String(headers[names.fingerprint] ?? ''),
    turn: Number(headers[names.turn] ?? 0),
  };
}
