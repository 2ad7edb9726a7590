import { Buffer, isUtf8 } from 'node:buffer';
import {
  type Message,
  maxBatchBytes,
  maxBatchMessages,
  maxIdBytes,
  maxMessageBytes,
  maxUserBytes,
} from './message.js';
import { PinwheelError } from './pinwheel-error.js';
import { readUtf8, writeUtf8 } from './utf8.js';

/**
 * The form in which Pinwheel's own processes send messages to a node: `PWB1`, then per message
 *
 *     u8 flags (1 binary, 2 wait for the client, 4 repeated) · u16 user bytes · u8 id bytes · u32 data bytes · user · id · data
 *
 * integers little-endian, user in UTF-8, id in ASCII. It says the same as the NDJSON form at a tenth of the cost.
 */
export const batchContentType = 'application/vnd.pinwheel.batch';

const magic = Buffer.from('PWB1');
const headBytes = 8;
const binaryFlag = 1;
const waitFlag = 2;
const repeatedFlag = 4;

/** What a batch is written from; a string payload becomes a text frame unless `binary` says otherwise. */
export interface OutgoingMessage {
  readonly user: string;
  readonly data: string | Uint8Array;
  readonly binary: boolean;
  readonly id: string;
  readonly waitForClient: boolean;
  readonly repeated: boolean;
}

/** Upper bound of a message's bytes in a batch, without encoding it. */
export function batchedBytes(message: OutgoingMessage): number {
  const { data } = message;
  const dataBytes = typeof data === 'string' ? data.length * 3 : data.length;
  return headBytes + message.user.length * 3 + maxIdBytes + dataBytes;
}

/** Writes batches into one buffer that it keeps; not to be used again before the last batch has been sent. */
export class BatchWriter {
  #bytes = Buffer.allocUnsafe(16_384);
  readonly #room: number;

  /** @param room bytes that are left before each batch, for whoever puts something there. */
  constructor(room = 0) {
    this.#room = room;
  }

  /** The batch in bytes, with the room before it; a view that the next call overwrites. */
  write(messages: readonly OutgoingMessage[]): Uint8Array {
    magic.copy(this.#bytes, this.#room);
    let at = this.#room + magic.length;
    for (const message of messages) {
      this.#reserve(at, batchedBytes(message));
      at = this.#append(at, message);
    }
    return this.#bytes.subarray(0, at);
  }

  #append(start: number, message: OutgoingMessage): number {
    const bytes = this.#bytes;
    let at = start + headBytes;
    const userBytes = writeUtf8(bytes, message.user, at);
    at += userBytes;
    const idBytes = writeUtf8(bytes, message.id, at);
    at += idBytes;
    const { data } = message;
    let dataBytes: number;
    if (typeof data === 'string') {
      dataBytes = bytes.write(data, at, 'utf8');
    } else {
      bytes.set(data, at);
      dataBytes = data.length;
    }
    bytes[start] =
      (message.binary ? binaryFlag : 0) |
      (message.waitForClient ? waitFlag : 0) |
      (message.repeated ? repeatedFlag : 0);
    bytes[start + 1] = userBytes;
    bytes[start + 2] = userBytes >>> 8;
    bytes[start + 3] = idBytes;
    bytes.writeUInt32LE(dataBytes, start + 4);
    return at + dataBytes;
  }

  #reserve(used: number, wanted: number): void {
    if (used + wanted <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, used + wanted));
    this.#bytes.copy(larger, 0, 0, used);
    this.#bytes = larger;
  }
}

const everybody = (): boolean => true;

/**
 * Reads a batch. The messages' payloads are views into `bytes`.
 *
 * @param isWanted whether the messages for a user are to be read; the others are passed over, for little.
 * @throws PinwheelError `bad-request` or `bad-user` that names the message's place in the batch; `too-large`.
 */
export function decodeBatch(
  bytes: Buffer,
  isWanted: (user: string) => boolean = everybody,
): readonly Message[] {
  if (bytes.length > maxBatchBytes) {
    throw new PinwheelError(
      'too-large',
      `the batch has ${bytes.length} bytes; it must have at most ${maxBatchBytes}`,
    );
  }
  if (bytes.length < magic.length || bytes.compare(magic, 0, magic.length, 0, magic.length) !== 0) {
    throw new PinwheelError('bad-request', 'the batch does not begin with PWB1');
  }
  const messages: Message[] = [];
  let at = magic.length;
  for (let place = 1; at < bytes.length; place++) {
    if (place > maxBatchMessages) {
      throw new PinwheelError('too-large', `the batch has more than ${maxBatchMessages} messages`);
    }
    at = decodeMessage(bytes, at, place, messages, isWanted);
  }
  return messages;
}

function decodeMessage(
  bytes: Buffer,
  start: number,
  place: number,
  messages: Message[],
  isWanted: (user: string) => boolean,
): number {
  if (start + headBytes > bytes.length) throw broken(place, 'its head is cut off');
  const flags = bytes[start]!;
  const userBytes = bytes[start + 1]! | (bytes[start + 2]! << 8);
  const idBytes = bytes[start + 3]!;
  const dataBytes = bytes.readUInt32LE(start + 4);
  const userAt = start + headBytes;
  const idAt = userAt + userBytes;
  const dataAt = idAt + idBytes;
  const end = dataAt + dataBytes;
  if (end > bytes.length) throw broken(place, `it ends ${end - bytes.length} bytes after the batch`);
  if (userBytes < 1 || userBytes > maxUserBytes) {
    throw broken(place, `its user has ${userBytes} bytes; it must have 1 to ${maxUserBytes}`, 'bad-user');
  }
  if (idBytes < 1 || idBytes > maxIdBytes) {
    throw broken(place, `its id has ${idBytes} bytes; it must have 1 to ${maxIdBytes}`);
  }
  if (dataBytes > maxMessageBytes) {
    throw broken(
      place,
      `its data has ${dataBytes} bytes; it must have at most ${maxMessageBytes}`,
      'too-large',
    );
  }
  if (flags > (binaryFlag | waitFlag | repeatedFlag)) throw broken(place, `its flags are ${flags}`);
  const user = readUser(bytes, userAt, idAt, place);
  if (!isWanted(user)) return end;
  const binary = (flags & binaryFlag) !== 0;
  const data = new Uint8Array(bytes.buffer, bytes.byteOffset + dataAt, dataBytes);
  if (!binary && !isUtf8(data)) throw broken(place, 'it is text, and its data is not valid UTF-8');
  messages.push({
    user,
    data,
    binary,
    id: readId(bytes, idAt, dataAt, place),
    waitForClient: (flags & waitFlag) !== 0,
    repeated: (flags & repeatedFlag) !== 0,
  });
  return end;
}

/** Checked here, because whoever passes the message on writes the id as it stands. */
function readId(bytes: Buffer, from: number, to: number, place: number): string {
  for (let i = from; i < to; i++) {
    if (bytes[i]! < 0x21 || bytes[i]! > 0x7e) throw broken(place, 'its id is not printable ASCII');
  }
  return bytes.toString('latin1', from, to);
}

function readUser(bytes: Buffer, from: number, to: number, place: number): string {
  const user = readUtf8(bytes, from, to);
  if (user === undefined) throw broken(place, 'its user is not valid UTF-8', 'bad-user');
  return user;
}

function broken(
  place: number,
  what: string,
  code: 'bad-request' | 'bad-user' | 'too-large' = 'bad-request',
): PinwheelError {
  return new PinwheelError(code, `message ${place} of the batch: ${what}`);
}
