import { maxCloseCode, maxReasonBytes, minCloseCode } from '../field-bounds.js';
import { readU16, readU32 } from '../little-endian.js';
import { PinwheelError } from '../pinwheel-error.js';
import { readUtf8 } from '../utf8.js';
import { frameHeadBytes, frameName } from './frame-types.js';
import { type FrameInPlace, maxLinkMessageBytes } from './frames.js';

/**
 * Goes through a link message frame by frame, and through a frame field by field.
 *
 * @throws PinwheelError `protocol`, from every call, that names the frame's place and the field.
 */
export class FrameReader implements FrameInPlace {
  readonly #bytes: Uint8Array;
  /** The same bytes for decoding texts, made with the first one. */
  #texts: Buffer | undefined;
  #count = 0;
  #type = 0;
  #at = 0;
  /** Where the present frame ends. */
  #end = 0;
  /** Where the frame of a client that it carries begins. */
  #carriedAt = 0;

  constructor(bytes: Uint8Array) {
    if (bytes.length > maxLinkMessageBytes) {
      throw new PinwheelError(
        'protocol',
        `the link message has ${bytes.length} bytes; it must have at most ${maxLinkMessageBytes}`,
      );
    }
    if (bytes.length === 0) throw new PinwheelError('protocol', 'the link message has no frame');
    this.#bytes = bytes;
  }

  /** The type of the next frame, or 0 when there is none. */
  next(): number {
    const bytes = this.#bytes;
    const start = this.#end;
    if (start === bytes.length) return 0;
    this.#count++;
    this.#type = bytes[start]!;
    if (start + frameHeadBytes > bytes.length) throw this.broken('its head is cut off');
    this.#at = start + frameHeadBytes;
    this.#end = this.#at + readU32(bytes, start + 1);
    if (this.#end > bytes.length) {
      throw this.broken(`it ends ${this.#end - bytes.length} bytes after the link message`);
    }
    // 0 is no type; to the caller it means that there is no frame
    if (this.#type === 0) throw this.unknown();
    return this.#type;
  }

  u8(field: string): number {
    return this.#bytes[this.#take(field, 1)]!;
  }

  u16(field: string): number {
    return readU16(this.#bytes, this.#take(field, 2));
  }

  u32(field: string): number {
    return readU32(this.#bytes, this.#take(field, 4));
  }

  /** @param known all flags that there are. */
  flags(known: number): number {
    const flags = this.u8('flags');
    if ((flags & ~known) !== 0) throw this.broken(`flags are ${flags}; known are ${known}`);
    return flags;
  }

  /** A `str`. */
  text(field: string, least: number, most: number): string {
    const bytes = this.u16(field);
    if (bytes < least || bytes > most) {
      throw this.broken(`${field} has ${bytes} bytes; it must have ${least} to ${most}`);
    }
    const from = this.#take(field, bytes);
    this.#texts ??= Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length);
    const text = readUtf8(this.#texts, from, from + bytes);
    if (text === undefined) throw this.broken(`${field} is not valid UTF-8`);
    return text;
  }

  /** The code of a WebSocket close. */
  closeCode(): number {
    const code = this.u16('code');
    if (code < minCloseCode || code > maxCloseCode) {
      throw this.broken(`code is ${code}; it must be ${minCloseCode} to ${maxCloseCode}`);
    }
    return code;
  }

  reason(): string {
    return this.text('reason', 0, maxReasonBytes);
  }

  /** What is left of the frame, as a view. */
  rest(): Uint8Array {
    const from = this.#at;
    this.#at = this.#end;
    return this.#view(from);
  }

  skip(field: string, bytes: number): void {
    this.#take(field, bytes);
  }

  /** Bytes of the frame that have yet to be read. */
  get left(): number {
    return this.#end - this.#at;
  }

  /** The frame of a client begins here; its data begins where reading stops. */
  beginCarried(): void {
    this.#carriedAt = this.#at;
  }

  whole(): Uint8Array {
    return this.#view(this.#carriedAt);
  }

  data(): Uint8Array {
    return this.#view(this.#at);
  }

  /** To be called after the last field. */
  done(): void {
    if (this.left > 0) throw this.broken(`${this.left} bytes follow its last field`);
  }

  unknown(): PinwheelError {
    return new PinwheelError('protocol', `frame ${this.#count}: its type is ${this.#type}, which is unknown`);
  }

  broken(what: string): PinwheelError {
    return new PinwheelError('protocol', `frame ${this.#count}, ${frameName(this.#type)}: ${what}`);
  }

  #view(from: number): Uint8Array {
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + from, this.#end - from);
  }

  #take(field: string, bytes: number): number {
    const at = this.#at;
    const end = at + bytes;
    if (end > this.#end) throw this.broken(`it ends ${end - this.#end} bytes before the end of ${field}`);
    this.#at = end;
    return at;
  }
}
