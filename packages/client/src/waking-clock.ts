/**
 * Milliseconds that go on while the device sleeps, when `performance.now()` stands still on most systems, and that never go
 * back, whatever becomes of the wall clock.
 */
export function wakingClock(
  monotonic: () => number = () => performance.now(),
  wall: () => number = () => Date.now(),
): () => number {
  let now = 0;
  let monotonicThen = monotonic();
  let wallThen = wall();
  return () => {
    const monotonicNow = monotonic();
    const wallNow = wall();
    now += Math.max(monotonicNow - monotonicThen, wallNow - wallThen);
    monotonicThen = monotonicNow;
    wallThen = wallNow;
    return now;
  };
}
