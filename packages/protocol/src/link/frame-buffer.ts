import { Buffer } from 'node:buffer';
import { maxCloseCode, maxReasonBytes, maxU32, minCloseCode } from '../field-bounds.js';
import { writeU16, writeU32 } from '../little-endian.js';
import { maxMessageBytes } from '../message.js';
import { PinwheelError } from '../pinwheel-error.js';
import { writeUtf8 } from '../utf8.js';
import { frameHeadBytes, frameName } from './frame-types.js';
import { maxLinkMessageBytes } from './frames.js';

const initialBytes = 16_384;
/** A buffer that has grown beyond this is let go of once so many messages in a row took a quarter of it or less. */
const keptBytes = 262_144;
const littleUsedLimit = 8;
/** Room for any frame's head and fields: an ATTACH with texts that take three bytes a character is the largest. */
const fieldBytes = 4096;

/**
 * A link message in the making: whole frames in one buffer, which is kept. A frame counts from {@link end}; one that
 * is out of bounds throws before, and leaves nothing behind.
 */
export class FrameBuffer {
  #bytes = Buffer.allocUnsafeSlow(initialBytes);
  /** Where the last whole frame ends. */
  #used = 0;
  /** Where the frame in the making goes on. */
  #at = 0;
  #littleUsed = 0;

  /** Of all whole frames. */
  get bytes(): number {
    return this.#used;
  }

  /**
   * @param most bytes of data that the frame may have.
   * @throws PinwheelError `overloaded` when the link message would be too long: {@link take} it first.
   */
  begin(type: number, dataBytes = 0, most = maxMessageBytes): void {
    // also when it is no number: what is not refused here would be a hole in everybody's frames
    if (!(dataBytes >= 0 && dataBytes <= most)) throw tooLong(type, 'data', dataBytes, 0, most);
    const start = this.#used;
    const room = start + fieldBytes + dataBytes;
    if (room > this.#bytes.length) this.#grow(room);
    this.#bytes[start] = type;
    this.#at = start + frameHeadBytes;
  }

  end(): void {
    const start = this.#used;
    writeU32(this.#bytes, start + 1, this.#at - start - frameHeadBytes);
    this.#used = this.#at;
  }

  /** A whole frame of one number. */
  number(type: number, number: number): void {
    this.begin(type);
    this.u32(number);
    this.end();
  }

  /** A whole frame of two. */
  numbers(type: number, first: number, second: number): void {
    this.begin(type);
    this.u32(first);
    this.u32(second);
    this.end();
  }

  /** A whole frame of a session, and the code and the reason of a WebSocket close. */
  close(type: number, session: number, code: number, reason: string): void {
    this.begin(type);
    if (!(code >= minCloseCode && code <= maxCloseCode)) {
      throw new PinwheelError(
        'protocol',
        `${frameName(type)}: code is ${code}; it must be ${minCloseCode} to ${maxCloseCode}`,
      );
    }
    this.u32(session);
    this.u16(code);
    this.text('reason', reason, 0, maxReasonBytes);
    this.end();
  }

  u8(value: number): void {
    this.#bytes[this.#at++] = value;
  }

  u16(value: number): void {
    writeU16(this.#bytes, this.#at, value);
    this.#at += 2;
  }

  u32(value: number): void {
    if (value >>> 0 !== value)
      throw new PinwheelError(
        'protocol',
        `${frameName(this.#bytes[this.#used]!)}: a number is ${value}; it must be a whole number from 0 to ${maxU32}`,
      );
    writeU32(this.#bytes, this.#at, value);
    this.#at += 4;
  }

  /** A `str`. */
  text(field: string, value: string, least: number, most: number): void {
    const bytes =
      value.length > most ? Buffer.byteLength(value) : writeUtf8(this.#bytes, value, this.#at + 2);
    if (bytes < least || bytes > most) throw tooLong(this.#bytes[this.#used]!, field, bytes, least, most);
    writeU16(this.#bytes, this.#at, bytes);
    this.#at += 2 + bytes;
  }

  /** A text behind one byte of length. */
  shortText(field: string, value: string, most: number): void {
    const bytes =
      value.length > most ? Buffer.byteLength(value) : writeUtf8(this.#bytes, value, this.#at + 1);
    if (bytes > most) throw tooLong(this.#bytes[this.#used]!, field, bytes, 0, most);
    this.#bytes[this.#at] = bytes;
    this.#at += 1 + bytes;
  }

  data(data: Uint8Array): void {
    this.#bytes.set(data, this.#at);
    this.#at += data.length;
  }

  /** Everything that was written, as a view that is valid until the next frame is begun; the buffer is empty then. */
  take(): Uint8Array {
    const bytes = this.#bytes;
    const taken = new Uint8Array(bytes.buffer, bytes.byteOffset, this.#used);
    if (bytes.length > keptBytes) this.#shrink();
    this.#used = 0;
    return taken;
  }

  /** What a burst needed is not kept by a link that is idle but for its keep-alive. */
  #shrink(): void {
    if (this.#used * 4 > this.#bytes.length) {
      this.#littleUsed = 0;
    } else if (++this.#littleUsed === littleUsedLimit) {
      this.#littleUsed = 0;
      this.#bytes = Buffer.allocUnsafeSlow(initialBytes);
    }
  }

  #grow(wanted: number): void {
    if (wanted > maxLinkMessageBytes) {
      throw new PinwheelError(
        'overloaded',
        `the link message would need ${wanted} bytes; it must have at most ${maxLinkMessageBytes}: take it first`,
      );
    }
    const larger = Buffer.allocUnsafeSlow(
      Math.min(maxLinkMessageBytes, Math.max(this.#bytes.length * 2, wanted)),
    );
    this.#bytes.copy(larger, 0, 0, this.#used);
    this.#bytes = larger;
    this.#littleUsed = 0;
  }
}

function tooLong(type: number, field: string, bytes: number, least: number, most: number): PinwheelError {
  return new PinwheelError(
    'protocol',
    `${frameName(type)}: ${field} has ${bytes} bytes; it must have ${least} to ${most}`,
  );
}
