import { performance } from 'node:perf_hooks';
import { eachOpened } from './each-opened.js';
import type { TemplatedApp } from './uws.js';

/** The time after which uWebSockets.js may end a connection that has brought no whole head, in ms. */
const leastHeadMs = 7900;

/**
 * Tells of the connections that brought no whole head in time. uWebSockets.js ends them 8 to 12 s after they were opened,
 * whatever comes on them, and does not say so: they are told from those whose clients left by their age.
 */
export function countSlowHeads(app: TemplatedApp, tooLate: () => void): void {
  eachOpened(app, (response) => {
    const since = performance.now();
    // once its head is there, the end of a connection is told elsewhere, or to nobody
    response.onAborted(() => {
      if (performance.now() - since >= leastHeadMs) tooLate();
    });
  });
}
