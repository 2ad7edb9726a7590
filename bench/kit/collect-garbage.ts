import { setTimeout as sleep } from 'node:timers/promises';

/** What is left in memory is in use. Needs `--expose-gc`; without it this only waits. */
export async function collectGarbage(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.();
    await sleep(20);
  }
}
