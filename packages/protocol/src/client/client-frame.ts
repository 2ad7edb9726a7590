import { readU16, readU32, writeU16, writeU32 } from '../little-endian.js';
import { maxMessageBytes, maxUserBytes } from '../message.js';
import { brokenFrame, checkData, checkLength, checkNumber } from './frame-checks.js';
import type { ClientFrame } from './frames.js';
import { clientKinds as kinds } from './kinds.js';
import { decodeUtf8, encodeUtf8, isValidUtf8 } from './utf8.js';

const messageHeadBytes = 5;
const sendHeadBytes = 8;
const ackBytes = 6;
const flags = { wait: 2, repeated: 4 };
const knownFlags = flags.wait | flags.repeated;

const message = 'the client’s MESSAGE';
const send = 'the client’s SEND';
const ack = 'the client’s ACK';

/** The longest of them: a SEND to the longest user. */
export const maxClientFrameBytes = sendHeadBytes + maxUserBytes + maxMessageBytes;

type Allocate = (bytes: number) => Uint8Array;

function newBytes(bytes: number): Uint8Array {
  return new Uint8Array(bytes);
}

/**
 * The message in bytes of its own.
 *
 * @param allocate gives bytes, which are written over: in Node.js `Buffer.allocUnsafe` costs a tenth of new ones.
 * @throws PinwheelError `protocol` for a field out of bounds.
 */
export function encodeClientFrame(frame: ClientFrame, allocate: Allocate = newBytes): Uint8Array {
  switch (frame.kind) {
    case 'message': {
      const { number, binary, data } = frame;
      checkData(message, data.length);
      const bytes = allocate(messageHeadBytes + data.length);
      bytes[0] = binary ? kinds.binaryMessage : kinds.message;
      writeU32(bytes, 1, checkNumber(message, 'number', number));
      bytes.set(data, messageHeadBytes);
      return bytes;
    }
    case 'send':
      return encodeSend(frame, allocate);
    case 'ack': {
      const bytes = allocate(ackBytes);
      bytes[0] = kinds.ack;
      bytes[1] = checkNumber(ack, 'welcomes', frame.welcomes, 0xff);
      writeU32(bytes, 2, checkNumber(ack, 'seq', frame.seq));
      return bytes;
    }
    default:
      throw new TypeError(`unknown client frame ${frame satisfies never}`);
  }
}

function encodeSend(frame: ClientFrame & { kind: 'send' }, allocate: Allocate): Uint8Array {
  const { number, binary, waitForClient, repeated, to, data } = frame;
  // as bytes a lone surrogate would be another user
  if (!to.isWellFormed()) throw brokenFrame(send, 'to has a lone surrogate; it must be valid UTF-8');
  const user = encodeUtf8(to);
  checkUser(user.length);
  checkData(send, data.length);
  const bytes = allocate(sendHeadBytes + user.length + data.length);
  bytes[0] = binary ? kinds.binarySend : kinds.send;
  writeU32(bytes, 1, checkNumber(send, 'number', number));
  bytes[5] = (waitForClient ? flags.wait : 0) | (repeated ? flags.repeated : 0);
  writeU16(bytes, 6, user.length);
  bytes.set(user, sendHeadBytes);
  bytes.set(data, sendHeadBytes + user.length);
  return bytes;
}

/** Marks a SEND, in its own bytes, as one that may have been delivered before: it has had no receipt. */
export function markRepeated(bytes: Uint8Array): void {
  bytes[5]! |= flags.repeated;
}

/**
 * Reads a client's binary message and looks through all of it. Data is a view into it.
 *
 * @param isUtf8 whether a text is valid; that of `node:buffer` is much faster than the one here, which runs anywhere.
 * @throws PinwheelError `protocol`.
 */
export function decodeClientFrame(
  bytes: Uint8Array,
  isUtf8: (data: Uint8Array) => boolean = isUtf8Anywhere,
): ClientFrame {
  clientDataAt(bytes);
  const frame = viewClientFrame(bytes);
  if (frame.kind !== 'ack' && !frame.binary && !isUtf8(frame.data)) {
    throw brokenFrame(frame.kind === 'send' ? send : message, 'its data is text, and not valid UTF-8');
  }
  return frame;
}

function isUtf8Anywhere(data: Uint8Array): boolean {
  return isValidUtf8(data, 0, data.length);
}

/** The same for a message that has been looked through before, such as those that a link hands over. */
export function viewClientFrame(bytes: Uint8Array): ClientFrame {
  const kind = bytes[0]!;
  if (kind === kinds.ack) return { kind: 'ack', welcomes: bytes[1]!, seq: readU32(bytes, 2) };
  const number = readU32(bytes, 1);
  if (kind < kinds.send) {
    const data = viewFrom(bytes, messageHeadBytes);
    return { kind: 'message', number, binary: kind === kinds.binaryMessage, data };
  }
  const dataAt = sendHeadBytes + readU16(bytes, 6);
  return {
    kind: 'send',
    number,
    binary: kind === kinds.binarySend,
    waitForClient: (bytes[5]! & flags.wait) !== 0,
    repeated: (bytes[5]! & flags.repeated) !== 0,
    to: decodeUtf8(bytes, sendHeadBytes, dataAt),
    data: viewFrom(bytes, dataAt),
  };
}

function viewFrom(bytes: Uint8Array, at: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + at, bytes.length - at);
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
      checkLength(message, bytes, messageHeadBytes);
      checkData(message, bytes.length - messageHeadBytes);
      return messageHeadBytes;
    case kinds.send:
    case kinds.binarySend:
      return sendDataAt(bytes);
    case kinds.ack:
      checkLength(ack, bytes, ackBytes, ackBytes);
      return undefined;
    default:
      throw brokenFrame(
        'a client’s message',
        kind === undefined ? 'it is empty' : `its kind ${kind} is unknown`,
      );
  }
}

/** How many bytes stand before the data of a MESSAGE or SEND, by what it says itself; of anything else, some number. */
export function clientHeadBytes(bytes: Uint8Array): number {
  const isSend = bytes[0] === kinds.send || bytes[0] === kinds.binarySend;
  return isSend ? sendHeadBytes + readU16(bytes, 6) : messageHeadBytes;
}

/** Of a MESSAGE or SEND. */
export function isClientText(bytes: Uint8Array): boolean {
  return bytes[0] === kinds.message || bytes[0] === kinds.send;
}

function sendDataAt(bytes: Uint8Array): number {
  checkLength(send, bytes, sendHeadBytes);
  const given = bytes[5]!;
  if ((given & ~knownFlags) !== 0) throw brokenFrame(send, `its flags are ${given}; known are ${knownFlags}`);
  const userBytes = readU16(bytes, 6);
  checkUser(userBytes);
  const dataAt = sendHeadBytes + userBytes;
  checkLength(send, bytes, dataAt);
  if (!isValidUtf8(bytes, sendHeadBytes, dataAt)) throw brokenFrame(send, 'to is not valid UTF-8');
  checkData(send, bytes.length - dataAt);
  return dataAt;
}

function checkUser(bytes: number): void {
  if (bytes < 1 || bytes > maxUserBytes) {
    throw brokenFrame(send, `to has ${bytes} bytes; it must have 1 to ${maxUserBytes}`);
  }
}
