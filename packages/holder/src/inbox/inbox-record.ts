// The layout of a message in an inbox's run of bytes:
//
//     u32 length · u32 seq · u32 second · u8 binary · u8 sessions · u8 id bytes · id · data

/** Before the id. */
export const headBytes = 15;
/** More count as so many. */
const mostSessions = 254;
const forgotten = 255;

export function bytesOf(id: string, data: { readonly length: number }): number {
  return headBytes + id.length + data.length;
}

/**
 * Returns where the record ends.
 *
 * @param second when it came, by the node's clock.
 * @param sessions to how many sessions it is written.
 */
export function write(
  bytes: Buffer,
  at: number,
  seq: number,
  second: number,
  binary: boolean,
  sessions: number,
  id: string,
  data: Uint8Array,
): number {
  const length = bytesOf(id, data);
  writeU32(bytes, at, length);
  writeU32(bytes, at + 4, seq);
  writeU32(bytes, at + 8, second);
  bytes[at + 12] = binary ? 1 : 0;
  setSessions(bytes, at, sessions);
  bytes[at + 14] = id.length;
  for (let i = 0; i < id.length; i++) bytes[at + headBytes + i] = id.charCodeAt(i);
  bytes.set(data, at + headBytes + id.length);
  return at + length;
}

export function setSessions(bytes: Buffer, at: number, sessions: number): void {
  bytes[at + 13] = Math.min(sessions, mostSessions);
}

/** As if the message had never come. */
export function forgetId(bytes: Buffer, at: number): void {
  bytes[at + 13] = forgotten;
}

export function isForgotten(bytes: Buffer, at: number): boolean {
  return bytes[at + 13] === forgotten;
}

/** Copies a record without its data. Returns where the copy ends. */
export function copyBare(bytes: Buffer, at: number, target: Buffer, to: number): number {
  const length = bareBytes(bytes, at);
  // so few bytes that a call into the copier costs more; forwards, because they may move within one buffer
  for (let i = 4; i < length; i++) target[to + i] = bytes[at + i]!;
  writeU32(target, to, length);
  return to + length;
}

export function lengthAt(bytes: Buffer, at: number): number {
  return readU32(bytes, at);
}

export function seqAt(bytes: Buffer, at: number): number {
  return readU32(bytes, at + 4);
}

export function secondAt(bytes: Buffer, at: number): number {
  return readU32(bytes, at + 8);
}

export function binaryAt(bytes: Buffer, at: number): boolean {
  return bytes[at + 12] === 1;
}

/** Where it stands, and to how many sessions it was written. */
export function placeAt(bytes: Buffer, at: number): { readonly seq: number; readonly sessions: number } {
  return { seq: seqAt(bytes, at), sessions: bytes[at + 13]! };
}

export function idAt(bytes: Buffer, at: number): string {
  return bytes.toString('latin1', at + headBytes, at + bareBytes(bytes, at));
}

/** Whether the record has that id, without making a text of every id that is looked at. */
export function hasId(bytes: Buffer, at: number, id: string): boolean {
  if (bytes[at + 14] !== id.length || isForgotten(bytes, at)) return false;
  for (let i = 0; i < id.length; i++) if (bytes[at + headBytes + i] !== id.charCodeAt(i)) return false;
  return true;
}

/** The data as a view. */
export function dataAt(bytes: Buffer, at: number): Uint8Array {
  return bytes.subarray(at + bareBytes(bytes, at), at + lengthAt(bytes, at));
}

/** Of a record without its data. */
export function bareBytes(bytes: Buffer, at: number): number {
  return headBytes + bytes[at + 14]!;
}

function readU32(bytes: Buffer, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

function writeU32(bytes: Buffer, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}
