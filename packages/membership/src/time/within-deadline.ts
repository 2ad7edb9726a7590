import { PinwheelError } from '@pinwheel/protocol';

/**
 * What `work` resolves with, if it does so in time. It goes on when it is late; nobody hears of its end.
 *
 * @throws PinwheelError (rejects) `deadline`, and whatever `work` rejects with.
 */
export async function withinDeadline<T>(work: Promise<T>, deadlineMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new PinwheelError('deadline', `${what} took more than ${Math.round(deadlineMs)} ms`)),
      deadlineMs,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
