import { performance } from 'node:perf_hooks';
import { callWithin, type Log, withinDeadline } from '@pinwheel/membership';

const longestMs = 10_000;
/** To close what was opened; what is not closed by then stays as long as the process. */
const closeMs = 1000;

/**
 * Plays a small service through, so that V8 has compiled what a process that has just started would run uncompiled when
 * thousands of users come to it, as they do in a deployment. When it fails the log says so, and the process starts as it
 * would without.
 *
 * @param aborted gives it up.
 * @param deadlineMs after which it is given up, too.
 */
export async function warmUp(log: Log, aborted?: AbortSignal, deadlineMs = longestMs): Promise<void> {
  const began = performance.now();
  const { SmallService } = await import('./small-service.js');
  const service = new SmallService();
  try {
    await callWithin(deadlineMs, aborted, (ended) => untilEnded(() => service.play(), ended)).finally(() =>
      withinDeadline(service.close(), closeMs, 'its end'),
    );
    log.info({ ms: Math.round(performance.now() - began) }, 'warmed up');
  } catch (thrown) {
    if (aborted?.aborted === true) return;
    log.warn({ error: (thrown as Error).message }, 'the warm-up failed; the first users are slower');
  }
}

async function untilEnded(work: () => Promise<void>, ended: AbortSignal): Promise<void> {
  ended.throwIfAborted();
  const end = new Promise<never>((_, reject) => {
    ended.addEventListener('abort', () => reject(ended.reason));
  });
  await Promise.race([work(), end]);
}
