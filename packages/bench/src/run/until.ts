import { PinwheelError } from '@pinwheel/protocol';
import { pause } from '../load/pause.js';

const everyMs = 20;

/**
 * Waits until it is so.
 *
 * @param what for the error, as in: `node n1 is ready`.
 * @throws PinwheelError (rejects) `deadline`.
 */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  deadlineMs: number,
): Promise<void> {
  const last = performance.now() + deadlineMs;
  while (!(await isSo())) {
    if (performance.now() > last) throw new PinwheelError('deadline', `not within ${deadlineMs} ms: ${what}`);
    await pause(everyMs);
  }
}
