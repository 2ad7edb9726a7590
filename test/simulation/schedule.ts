import type { SimEvent } from './event.js';
import type { Setup } from './setup.js';

/** Everything that decides a run: the same schedule runs the same way, always. */
export interface Schedule {
  readonly setup: Setup;
  readonly events: readonly SimEvent[];
}
