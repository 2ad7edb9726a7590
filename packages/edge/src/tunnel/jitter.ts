/** A whole number of ms from 0 to `mostMs`, evenly: what is told to many clients at once must not bring them back at once. */
export function jitterMs(mostMs: number): number {
  return Math.floor(Math.random() * (mostMs + 1));
}

/** Clients of a node that is lost come back over this time, in ms. */
export const ownerLostJitterMs = 1000;
