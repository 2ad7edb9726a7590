import type { KeyRing } from './key-ring.js';

/** Where the keys of the moment are; they change while a process runs. */
export interface KeySource {
  readonly current: KeyRing;
}
