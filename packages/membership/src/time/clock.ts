import { performance } from 'node:perf_hooks';
/** Time as a mechanism sees it, so that a test can drive it. */
export interface Clock {
  /** Milliseconds; never goes back. */
  now(): number;
  /** Calls once, later, never from inside this call. Returns the call that cancels it. */
  after(delayMs: number, call: () => void): () => void;
}

export const systemClock: Clock = Object.freeze({
  now: () => performance.now(),
  after: (delayMs: number, call: () => void) => {
    const timer = setTimeout(call, delayMs);
    return () => clearTimeout(timer);
  },
});

/** The same, for what may be left undone: its timers keep no process alive. */
export const backgroundClock: Clock = Object.freeze({
  now: systemClock.now,
  after: (delayMs: number, call: () => void) => {
    const timer = setTimeout(call, delayMs).unref();
    return () => clearTimeout(timer);
  },
});
