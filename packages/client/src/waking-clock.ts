/** Less is how the two clocks are read, and how the wall clock is kept right. */
const leastSleepMs = 1000;

/**
 * Milliseconds that go on while the device sleeps, when `performance.now()` stands still on most systems, and that never go
 * back, whatever becomes of the wall clock.
 */
export function wakingClock(
  monotonic: () => number = () => performance.now(),
  wall: () => number = () => Date.now(),
): () => number {
  let monotonicThen = monotonic();
  let wallThen = wall();
  let sleptMs = 0;
  return () => {
    const monotonicNow = monotonic();
    const wallNow = wall();
    const ms = wallNow - wallThen - (monotonicNow - monotonicThen);
    if (ms > leastSleepMs) sleptMs += ms;
    monotonicThen = monotonicNow;
    wallThen = wallNow;
    return monotonicNow + sleptMs;
  };
}
