import { Buffer } from 'node:buffer';

/** Some places of a batch, from 0, as a bitmap: the lowest bit of the first byte first. */
export function placesToBits(places: readonly number[], length: number): Buffer {
  const bits = Buffer.alloc(Math.ceil(length / 8));
  for (const place of places) bits[place >> 3]! |= 1 << (place & 7);
  return bits;
}

/** The places that a bitmap names, in order; what is missing of it is empty. */
export function placesIn(bits: Buffer, length: number): readonly number[] {
  const places: number[] = [];
  for (let place = 0; place < length; place++) {
    if (((bits[place >> 3] ?? 0) & (1 << (place & 7))) !== 0) places.push(place);
  }
  return places;
}

/** As a header's value: a bitmap in base64. */
export function writePlaces(places: readonly number[], length: number): string {
  return placesToBits(places, length).toString('base64');
}

/** Whatever is no bitmap names nobody, and what is missing of it is empty: a hint is no reason to refuse an answer. */
export function readPlaces(value: string, length: number): readonly number[] {
  return placesIn(Buffer.from(value, 'base64'), length);
}
