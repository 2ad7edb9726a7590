const together = 1000;

/**
 * Forgets the first ones of a set or map, many at once: to find the first again and again goes past all that were taken out
 * before it.
 *
 * @param forget takes one out, or says `false` of one that has to stay.
 */
export function forgetEldest<One>(all: Iterable<One>, forget: (one: One) => boolean): void {
  let left = together;
  for (const one of all) if (forget(one) && --left === 0) return;
}
