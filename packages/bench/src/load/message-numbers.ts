import { maxMessages } from './message-number.js';

/** Numbers the messages of a load from 0 on. There are no more than `maxMessages`: what counts them has room for so many. */
export class MessageNumbers {
  #taken = 0;

  get left(): number {
    return maxMessages - this.#taken;
  }

  /**
   * @returns the first of `count` numbers in a row.
   * @throws RangeError when fewer are left: a load that just stopped would have its silence measured.
   */
  take(count = 1): number {
    const from = this.#taken;
    if (count > this.left) {
      throw new RangeError(
        `${from} messages were sent, ${count} more are due, and numbers end at ${maxMessages}; measure for a shorter time`,
      );
    }
    this.#taken += count;
    return from;
  }
}
