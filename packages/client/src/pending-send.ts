import { type ClientReceipt, type ErrorCode, PinwheelError } from '@pinwheel/protocol/client';

/** What the application was promised about one message. Settled once; whatever comes later is nothing to anybody. */
export class PendingSend {
  /** When the application wants to know by, on the client's clock. */
  readonly deadline: number;
  readonly outcome: Promise<ClientReceipt | undefined>;
  #isSettled = false;
  #resolve!: (receipt: ClientReceipt | undefined) => void;
  #reject!: (error: PinwheelError) => void;

  constructor(deadline: number) {
    this.deadline = deadline;
    this.outcome = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  resolve(receipt?: ClientReceipt): void {
    this.#isSettled = true;
    this.#resolve(receipt);
  }

  reject(code: ErrorCode, why: string): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#reject(new PinwheelError(code, why));
  }
}
