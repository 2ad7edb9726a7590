import type { KeyRing } from './key-ring.js';
import type { KeySource } from './key-source.js';

const pollMs = 1000;

/**
 * Tells when the keys are others, within a second.
 *
 * @returns the call that ends it; it may be called twice.
 */
export function followKeys(keys: KeySource, changed: (keys: KeyRing) => void): () => void {
  let known = keys.current;
  const timer = setInterval(() => {
    if (keys.current === known) return;
    known = keys.current;
    changed(known);
  }, pollMs).unref();
  return () => clearInterval(timer);
}
