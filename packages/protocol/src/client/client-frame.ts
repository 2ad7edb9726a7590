import { maxU32 } from '../field-bounds.js';
import { readU16, readU32, writeU16, writeU32 } from '../little-endian.js';
import { maxMessageBytes, maxUserBytes } from '../message.js';
import { PinwheelError } from '../pinwheel-error.js';
import type { ClientFrame } from './frames.js';
import { clientKinds as kinds } from './kinds.js';
import { decodeUtf8, encodeUtf8, isValidUtf8 } from './utf8.js';

const messageHeadBytes = 5;
const sendHeadBytes = 8;
const ackBytes = 6;
const waitFlag = 2;

/** The longest of them: a SEND to the longest user. */
export const maxClientFrameBytes = sendHeadBytes + maxUserBytes + maxMessageBytes;

/**
 * The message in bytes of its own.
 *
 * @throws PinwheelError `protocol` for a field out of bounds.
 */
export function encodeClientFrame(frame: ClientFrame): Uint8Array {
  switch (frame.kind) {
    case 'message': {
      const { number, binary, data } = frame;
      checkData('MESSAGE', data.length);
      const bytes = new Uint8Array(messageHeadBytes + data.length);
      bytes[0] = binary ? kinds.binaryMessage : kinds.message;
      writeU32(bytes, 1, checkNumber('MESSAGE', 'number', number, maxU32));
      bytes.set(data, messageHeadBytes);
      return bytes;
    }
    case 'send':
      return encodeSend(frame);
    case 'ack': {
      const bytes = new Uint8Array(ackBytes);
      bytes[0] = kinds.ack;
      bytes[1] = checkNumber('ACK', 'welcomes', frame.welcomes, 0xff);
      writeU32(bytes, 2, checkNumber('ACK', 'seq', frame.seq, maxU32));
      return bytes;
    }
    default:
      throw new TypeError(`unknown client frame ${frame satisfies never}`);
  }
}

function encodeSend(frame: ClientFrame & { kind: 'send' }): Uint8Array {
  const { number, binary, waitForClient, to, data } = frame;
  // as bytes a lone surrogate would be another user
  if (!to.isWellFormed()) throw broken('SEND', 'to has a lone surrogate; it must be valid UTF-8');
  const user = encodeUtf8(to);
  checkUser(user.length);
  checkData('SEND', data.length);
  const bytes = new Uint8Array(sendHeadBytes + user.length + data.length);
  bytes[0] = binary ? kinds.binarySend : kinds.send;
  writeU32(bytes, 1, checkNumber('SEND', 'number', number, maxU32));
  bytes[5] = waitForClient ? waitFlag : 0;
  writeU16(bytes, 6, user.length);
  bytes.set(user, sendHeadBytes);
  bytes.set(data, sendHeadBytes + user.length);
  return bytes;
}

/**
 * Reads a client's binary message, all of it: a text is valid UTF-8. Data is a view into it.
 *
 * @throws PinwheelError `protocol`.
 */
export function decodeClientFrame(bytes: Uint8Array): ClientFrame {
  const dataAt = clientDataAt(bytes);
  if (dataAt === undefined) return { kind: 'ack', welcomes: bytes[1]!, seq: readU32(bytes, 2) };
  const text = isClientText(bytes);
  if (text && !isValidUtf8(bytes, dataAt, bytes.length)) {
    throw broken(nameOf(bytes[0]!), 'its data is text, and not valid UTF-8');
  }
  const number = readU32(bytes, 1);
  const data = new Uint8Array(bytes.buffer, bytes.byteOffset + dataAt, bytes.length - dataAt);
  if (bytes[0]! < kinds.send) return { kind: 'message', number, binary: !text, data };
  const to = decodeUtf8(bytes, sendHeadBytes, dataAt);
  return { kind: 'send', number, binary: !text, waitForClient: bytes[5] === waitFlag, to, data };
}

/**
 * Checks everything of a client's binary message but that a text is UTF-8.
 *
 * @returns where its data begins; `undefined` for an ACK.
 * @throws PinwheelError `protocol`.
 */
export function clientDataAt(bytes: Uint8Array): number | undefined {
  const kind = bytes[0];
  switch (kind) {
    case kinds.message:
    case kinds.binaryMessage:
      checkHead('MESSAGE', bytes, messageHeadBytes);
      checkData('MESSAGE', bytes.length - messageHeadBytes);
      return messageHeadBytes;
    case kinds.send:
    case kinds.binarySend:
      return sendDataAt(bytes);
    case kinds.ack:
      checkHead('ACK', bytes, ackBytes);
      if (bytes.length > ackBytes)
        throw broken('ACK', `${bytes.length - ackBytes} bytes follow its last field`);
      return undefined;
    case undefined:
      throw new PinwheelError('protocol', 'the client’s message is empty');
    default:
      throw new PinwheelError('protocol', `the client’s message is of kind ${kind}, which is unknown`);
  }
}

/** Of a MESSAGE or SEND. */
export function isClientText(bytes: Uint8Array): boolean {
  return bytes[0] === kinds.message || bytes[0] === kinds.send;
}

function sendDataAt(bytes: Uint8Array): number {
  checkHead('SEND', bytes, sendHeadBytes);
  const flags = bytes[5]!;
  if ((flags & ~waitFlag) !== 0) throw broken('SEND', `its flags are ${flags}; known are ${waitFlag}`);
  const userBytes = readU16(bytes, 6);
  checkUser(userBytes);
  const dataAt = sendHeadBytes + userBytes;
  checkHead('SEND', bytes, dataAt);
  if (!isValidUtf8(bytes, sendHeadBytes, dataAt)) throw broken('SEND', 'to is not valid UTF-8');
  checkData('SEND', bytes.length - dataAt);
  return dataAt;
}

function nameOf(kind: number): string {
  return kind < kinds.send ? 'MESSAGE' : 'SEND';
}

function checkHead(name: string, bytes: Uint8Array, least: number): void {
  if (bytes.length < least)
    throw broken(name, `it has ${bytes.length} bytes; it must have at least ${least}`);
}

function checkUser(bytes: number): void {
  if (bytes < 1 || bytes > maxUserBytes) {
    throw broken('SEND', `to has ${bytes} bytes; it must have 1 to ${maxUserBytes}`);
  }
}

function checkData(name: string, bytes: number): void {
  if (bytes > maxMessageBytes) {
    throw broken(name, `its data has ${bytes} bytes; it must have at most ${maxMessageBytes}`);
  }
}

function checkNumber(name: string, field: string, value: number, most: number): number {
  if (Number.isInteger(value) && value >= 0 && value <= most) return value;
  throw broken(name, `${field} is ${value}; it must be a whole number from 0 to ${most}`);
}

function broken(name: string, what: string): PinwheelError {
  return new PinwheelError('protocol', `the client’s ${name}: ${what}`);
}
