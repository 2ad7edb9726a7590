import { Buffer } from 'node:buffer';
import { PinwheelError } from './pinwheel-error.js';
import { placesIn, placesToBits } from './places.js';
import { Receipts } from './receipts.js';

const magic = Buffer.from('PWP1');
const headBytes = magic.length + 4;

/** What is known of a batch before the rest of it is. */
export interface FirstPart {
  /** Places of the messages whose receipts come later, in order. */
  readonly later: readonly number[];
  /** Those of all others, in order. */
  readonly receipts: Receipts;
  /** Where in the answer the second part begins. */
  readonly end: number;
}

/**
 * The first part of an answer that comes in two, so that a message which has somewhere else to go holds up no other's
 * receipt. On the wire:
 *
 *     PWP1 · u32 bytes from here to the second part · bitmap of the places that come later · receipts of the others
 *     bitmap of those among the rest that went on to another node · receipts of the rest
 *
 * the receipts as {@link Receipts} encodes them, a bitmap's lowest bit of the first byte first.
 *
 * @param later in order.
 */
export function encodeFirstPart(receipts: Receipts, later: readonly number[]): Buffer {
  const bits = placesToBits(later, receipts.length);
  const known = receipts.pick(placesBeside(later, receipts.length)).encode();
  const head = Buffer.alloc(headBytes);
  magic.copy(head);
  head.writeUInt32LE(bits.length + known.length, magic.length);
  return Buffer.concat([head, bits, known]);
}

/**
 * @param answer as far as it has come.
 * @param length of the batch.
 * @returns `undefined` when it is not whole yet, or the answer comes in one part.
 * @throws PinwheelError `bad-request` for what is neither.
 */
export function decodeFirstPart(answer: Buffer, length: number): FirstPart | undefined {
  if (answer.length < headBytes || answer.compare(magic, 0, magic.length, 0, magic.length) !== 0)
    return undefined;
  const bytes = answer.readUInt32LE(magic.length);
  const bitmapBytes = Math.ceil(length / 8);
  if (bytes < bitmapBytes) {
    const bounds = `it must have at least ${bitmapBytes} for a batch of ${length}`;
    throw new PinwheelError('bad-request', `the first part of the answer has ${bytes} bytes; ${bounds}`);
  }
  const end = headBytes + bytes;
  if (answer.length < end) return undefined;
  const receiptsAt = headBytes + bitmapBytes;
  const later = placesIn(answer.subarray(headBytes, receiptsAt), length);
  if (later.length === 0 || later.length === length) {
    const why = `says that ${later.length} of ${length} receipts come later; it must be some and not all`;
    throw new PinwheelError('bad-request', `the first part of the answer ${why}`);
  }
  const receipts = Receipts.decode(answer.subarray(receiptsAt, end), length - later.length);
  return { later, receipts, end };
}

/** The second part. @param later as for the first one. */
export function encodeSecondPart(receipts: Receipts, later: readonly number[]): Buffer {
  const rest = receipts.pick(later);
  return Buffer.concat([placesToBits(rest.passedOn, rest.length), rest.encode()]);
}

/**
 * @param length how many receipts there must be.
 * @throws PinwheelError `bad-request` for anything else.
 */
export function decodeSecondPart(part: Buffer, length: number): Receipts {
  const bitmapBytes = Math.ceil(length / 8);
  const receipts = Receipts.decode(part.subarray(bitmapBytes), length);
  receipts.notePassedOn(placesIn(part.subarray(0, bitmapBytes), length));
  return receipts;
}

/** The other places of a batch, in order. */
function placesBeside(places: readonly number[], length: number): readonly number[] {
  const others: number[] = [];
  let next = 0;
  for (let place = 0; place < length; place++) {
    if (places[next] === place) next++;
    else others.push(place);
  }
  return others;
}
