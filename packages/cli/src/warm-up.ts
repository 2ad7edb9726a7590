import { performance } from 'node:perf_hooks';
import { type Log, withinDeadline } from '@pinwheel/membership';

const longestMs = 10_000;

/**
 * Plays a small service through, so that V8 has compiled what a process that has just started would run uncompiled when
 * thousands of users come to it, as they do in a deployment. When it fails the log says so, and the process starts as it
 * would without.
 *
 * @param deadlineMs after which it is given up.
 */
export async function warmUp(log: Log, deadlineMs = longestMs): Promise<void> {
  const began = performance.now();
  const { SmallService } = await import('./small-service.js');
  const service = new SmallService();
  try {
    await withinDeadline(service.play(), deadlineMs, 'it').finally(() => service.close());
    log.info({ ms: Math.round(performance.now() - began) }, 'warmed up');
  } catch (thrown) {
    log.warn({ error: (thrown as Error).message }, 'the warm-up failed; the first users are slower');
  }
}
