import { batchedBytes, type OutgoingMessage, type Receipt } from '@pinwheel/protocol';

/** A message that has no receipt yet. It keeps its id however often it is sent. */
export class Pending implements OutgoingMessage {
  readonly user: string;
  readonly data: string | Uint8Array;
  readonly binary: boolean;
  /** Whether its receipt waits for the client's acknowledgement. */
  readonly waitForClient: boolean;
  /** Rises with every message of this sender: the order in which a user's messages were sent. */
  readonly order: number;
  /** By the sender's clock, in ms. */
  readonly deadline: number;
  /** Upper bound of its size in a batch. */
  readonly bytes: number;
  /** Set when it was in flight to a node that stopped being the user's owner. */
  lane: { unanswered: number } | undefined = undefined;
  attempts = 0;
  /** What is said when time runs out: what the last try ended with. */
  lastWord: Receipt | undefined = undefined;
  readonly #id: string | ((order: number) => string);
  #settle: ((receipt: Receipt) => void) | undefined;

  /**
   * @param id or how to make it of the order: made when it is written and not kept, it costs a waiting message
   * nothing.
   * @param deadline a whole number, which takes no memory of its own.
   */
  constructor(
    user: string,
    data: string | Uint8Array,
    binary: boolean,
    id: string | ((order: number) => string),
    order: number,
    deadline: number,
    settle: (receipt: Receipt) => void,
    waitForClient = false,
  ) {
    this.user = user;
    this.data = data;
    this.binary = binary;
    this.#id = id;
    this.order = order;
    this.deadline = deadline;
    this.bytes = batchedBytes(this);
    this.#settle = settle;
    this.waitForClient = waitForClient;
  }

  get id(): string {
    return typeof this.#id === 'string' ? this.#id : this.#id(this.order);
  }

  /** Tried before, or by whoever chose the id: it may have been taken already. */
  get repeated(): boolean {
    return this.attempts > 0 || typeof this.#id === 'string';
  }

  get settled(): boolean {
    return this.#settle === undefined;
  }

  /** Gives the receipt; only the first call counts. Says whether it was the first. */
  settle(receipt: Receipt): boolean {
    const settle = this.#settle;
    if (settle === undefined) return false;
    this.#settle = undefined;
    settle(receipt);
    return true;
  }
}
