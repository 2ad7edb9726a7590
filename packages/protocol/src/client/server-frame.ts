import { readU32, writeU32 } from '../little-endian.js';
import { isMessageId, maxIdBytes } from '../message.js';
import type { PinwheelError } from '../pinwheel-error.js';
import { brokenFrame, checkData, checkLength, checkNumber } from './frame-checks.js';
import type { ServerFrame } from './frames.js';
import { serverKinds as kinds } from './kinds.js';
import { decodeUtf8 } from './utf8.js';

const messageHeadBytes = 6;
const replyHeadBytes = 1;
const takenBytes = 5;

const message = 'the server’s MESSAGE';
const reply = 'the server’s REPLY';
const taken = 'the server’s TAKEN';

/**
 * The message in bytes of its own.
 *
 * @throws PinwheelError `protocol` for a field out of bounds.
 */
export function encodeServerFrame(frame: ServerFrame): Uint8Array {
  switch (frame.kind) {
    case 'message':
      return encodeMessage(frame);
    case 'reply': {
      const { binary, data } = frame;
      checkData(reply, data.length);
      const bytes = new Uint8Array(replyHeadBytes + data.length);
      bytes[0] = binary ? kinds.binaryReply : kinds.reply;
      bytes.set(data, replyHeadBytes);
      return bytes;
    }
    case 'taken': {
      const bytes = new Uint8Array(takenBytes);
      bytes[0] = kinds.taken;
      writeU32(bytes, 1, checkNumber(taken, 'number', frame.number));
      return bytes;
    }
    default:
      throw new TypeError(`unknown server frame ${frame satisfies never}`);
  }
}

function encodeMessage({ seq, id, binary, data }: ServerFrame & { kind: 'message' }): Uint8Array {
  if (id !== '' && !isMessageId(id)) throw badId();
  checkData(message, data.length);
  const dataAt = messageHeadBytes + id.length;
  const bytes = new Uint8Array(dataAt + data.length);
  bytes[0] = binary ? kinds.binaryMessage : kinds.message;
  writeU32(bytes, 1, checkNumber(message, 'seq', seq));
  bytes[5] = id.length;
  for (let i = 0; i < id.length; i++) bytes[messageHeadBytes + i] = id.charCodeAt(i);
  bytes.set(data, dataAt);
  return bytes;
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
        data: dataOf(reply, bytes, replyHeadBytes),
      };
    case kinds.taken:
      checkLength(taken, bytes, takenBytes, takenBytes);
      return { kind: 'taken', number: readU32(bytes, 1) };
    default:
      throw brokenFrame(
        'a server’s message',
        kind === undefined ? 'it is empty' : `its kind ${kind} is unknown`,
      );
  }
}

function decodeMessage(bytes: Uint8Array, binary: boolean): ServerFrame {
  checkLength(message, bytes, messageHeadBytes);
  const idBytes = bytes[5]!;
  if (idBytes > maxIdBytes) throw badId();
  const dataAt = messageHeadBytes + idBytes;
  const data = dataOf(message, bytes, dataAt);
  const id = decodeUtf8(bytes, messageHeadBytes, dataAt);
  if (id !== '' && !isMessageId(id)) throw badId();
  return { kind: 'message', seq: readU32(bytes, 1), id, binary, data };
}

function dataOf(frame: string, bytes: Uint8Array, at: number): Uint8Array {
  checkLength(frame, bytes, at);
  checkData(frame, bytes.length - at);
  return new Uint8Array(bytes.buffer, bytes.byteOffset + at, bytes.length - at);
}

/** It is empty in what is written for a plain client. */
function badId(): PinwheelError {
  return brokenFrame(message, `id must have at most ${maxIdBytes} characters of printable ASCII`);
}
