import type { Clock } from '@pinwheel/membership';

/** Not longer, in ms: what took so long was the network, and not this node's work. */
const longestMs = 5;

/**
 * Works, and then rests for as long: about half of the time is left for other things. It slows itself down when the
 * machine is busy, as the work takes longer then.
 */
export async function thenRest(clock: Clock, work: () => Promise<void>): Promise<void> {
  const began = clock.now();
  await work();
  await new Promise<void>((resolve) => clock.after(Math.min(longestMs, clock.now() - began), resolve));
}
