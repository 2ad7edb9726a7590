/** A whole number of ms from 0 to `mostMs`, evenly: what is told to many clients at once must not bring them back at once. */
export function jitterMs(mostMs: number): number {
  return Math.floor(Math.random() * (mostMs + 1));
}
