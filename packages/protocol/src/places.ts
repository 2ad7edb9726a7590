import { Buffer } from 'node:buffer';

const none: readonly number[] = [];

/** Some places of a batch, from 0, as a header's value: a bitmap in base64, the lowest bit of the first byte first. */
export function writePlaces(places: readonly number[], length: number): string {
  const bits = Buffer.alloc(Math.ceil(length / 8));
  for (const place of places) bits[place >> 3]! |= 1 << (place & 7);
  return bits.toString('base64');
}

/** Whatever is no bitmap names nobody, and what is missing of it is empty: a hint is no reason to refuse an answer. */
export function readPlaces(value: string, length: number): readonly number[] {
  // most batches have gone nowhere else
  if (value === '') return none;
  const bits = Buffer.from(value, 'base64');
  const places: number[] = [];
  for (let place = 0; place < length; place++) {
    if (((bits[place >> 3] ?? 0) & (1 << (place & 7))) !== 0) places.push(place);
  }
  return places;
}
