import { maxU32 } from '../field-bounds.js';
import { readU32, writeU32 } from '../little-endian.js';
import { isMessageId, maxIdBytes, maxMessageBytes } from '../message.js';
import { PinwheelError } from '../pinwheel-error.js';
import type { ServerFrame } from './frames.js';
import { serverKinds as kinds } from './kinds.js';
import { decodeUtf8 } from './utf8.js';

const messageHeadBytes = 6;
const replyHeadBytes = 1;
const takenBytes = 5;

/**
 * The message in bytes of its own.
 *
 * @throws PinwheelError `protocol` for a field out of bounds.
 */
export function encodeServerFrame(frame: ServerFrame): Uint8Array {
  switch (frame.kind) {
    case 'message': {
      const { seq, id, binary, data } = frame;
      if (id !== '' && !isMessageId(id)) throw badId();
      checkData('MESSAGE', data.length);
      const bytes = new Uint8Array(messageHeadBytes + id.length + data.length);
      bytes[0] = binary ? kinds.binaryMessage : kinds.message;
      writeU32(bytes, 1, checkNumber('MESSAGE', 'seq', seq));
      bytes[5] = id.length;
      for (let i = 0; i < id.length; i++) bytes[messageHeadBytes + i] = id.charCodeAt(i);
      bytes.set(data, messageHeadBytes + id.length);
      return bytes;
    }
    case 'reply': {
      checkData('REPLY', frame.data.length);
      const bytes = new Uint8Array(replyHeadBytes + frame.data.length);
      bytes[0] = frame.binary ? kinds.binaryReply : kinds.reply;
      bytes.set(frame.data, replyHeadBytes);
      return bytes;
    }
    case 'taken': {
      const bytes = new Uint8Array(takenBytes);
      bytes[0] = kinds.taken;
      writeU32(bytes, 1, checkNumber('TAKEN', 'number', frame.number));
      return bytes;
    }
    default:
      throw new TypeError(`unknown server frame ${frame satisfies never}`);
  }
}

/**
 * Reads a server's binary message. Data is a view into it; a text is not looked through, which whoever decodes it
 * does anyway.
 *
 * @throws PinwheelError `protocol`.
 */
export function decodeServerFrame(bytes: Uint8Array): ServerFrame {
  const kind = bytes[0];
  switch (kind) {
    case kinds.message:
    case kinds.binaryMessage:
      return decodeMessage(bytes, kind === kinds.binaryMessage);
    case kinds.reply:
    case kinds.binaryReply:
      return {
        kind: 'reply',
        binary: kind === kinds.binaryReply,
        data: dataOf('REPLY', bytes, replyHeadBytes),
      };
    case kinds.taken:
      if (bytes.length !== takenBytes) {
        throw broken('TAKEN', `it has ${bytes.length} bytes; it must have ${takenBytes}`);
      }
      return { kind: 'taken', number: readU32(bytes, 1) };
    case undefined:
      throw new PinwheelError('protocol', 'the server’s message is empty');
    default:
      throw new PinwheelError('protocol', `the server’s message is of kind ${kind}, which is unknown`);
  }
}

function decodeMessage(bytes: Uint8Array, binary: boolean): ServerFrame {
  const idBytes = bytes[5] ?? 0;
  if (idBytes > maxIdBytes) throw badId();
  const dataAt = messageHeadBytes + idBytes;
  const data = dataOf('MESSAGE', bytes, dataAt);
  const id = decodeUtf8(bytes, messageHeadBytes, dataAt);
  if (id !== '' && !isMessageId(id)) throw badId();
  return { kind: 'message', seq: readU32(bytes, 1), id, binary, data };
}

function dataOf(name: string, bytes: Uint8Array, at: number): Uint8Array {
  if (bytes.length < at) throw broken(name, `it has ${bytes.length} bytes; it must have at least ${at}`);
  checkData(name, bytes.length - at);
  return new Uint8Array(bytes.buffer, bytes.byteOffset + at, bytes.length - at);
}

function checkData(name: string, bytes: number): void {
  if (bytes > maxMessageBytes) {
    throw broken(name, `its data has ${bytes} bytes; it must have at most ${maxMessageBytes}`);
  }
}

function checkNumber(name: string, field: string, value: number): number {
  if (Number.isInteger(value) && value >= 0 && value <= maxU32) return value;
  throw broken(name, `${field} is ${value}; it must be a whole number from 0 to ${maxU32}`);
}

function badId(): PinwheelError {
  return broken('MESSAGE', `its id must be at most ${maxIdBytes} characters of printable ASCII`);
}

function broken(name: string, what: string): PinwheelError {
  return new PinwheelError('protocol', `the server’s ${name}: ${what}`);
}
