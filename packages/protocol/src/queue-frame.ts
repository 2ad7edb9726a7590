import { Buffer, isUtf8 } from 'node:buffer';
import { maxMessageBytes } from './message.js';
import { PinwheelError } from './pinwheel-error.js';

/**
 * What travels on the topics of a message queue: `PWQ`, u8 version, u8 kind, and the body of the kind:
 *
 *     1 messages    a batch, as in `PWB1`: each message for its user, whoever of the listeners has it
 *     2 everybody   u8 flags (1 binary) · data: for every user of every listener
 *
 * A listener drops what has a version or a kind that it does not know.
 */
export type QueueFrame =
  | { readonly kind: 'messages'; readonly batch: Buffer }
  | { readonly kind: 'everybody'; readonly data: Uint8Array; readonly binary: boolean };

export const queueFrameVersion = 1;
/** Bytes before the body. */
export const queueHeadBytes = 5;

const magic = Buffer.from('PWQ');
const kinds = { messages: 1, everybody: 2 } as const;
const binaryFlag = 1;

/** Writes the head of a frame of messages, which are to follow it. */
export function writeMessagesHead(bytes: Uint8Array): void {
  writeHead(bytes, kinds.messages);
}

export function everybodyFrame(data: Uint8Array, binary: boolean): Uint8Array {
  const bytes = Buffer.allocUnsafe(queueHeadBytes + 1 + data.length);
  writeHead(bytes, kinds.everybody);
  bytes[queueHeadBytes] = binary ? binaryFlag : 0;
  bytes.set(data, queueHeadBytes + 1);
  return bytes;
}

/**
 * Reads a frame; its body is a view into `bytes`.
 *
 * @throws PinwheelError `bad-request`, `too-large`.
 */
export function readQueueFrame(bytes: Buffer): QueueFrame {
  if (bytes.length < queueHeadBytes || bytes.compare(magic, 0, magic.length, 0, magic.length) !== 0) {
    throw new PinwheelError('bad-request', 'the post does not begin with PWQ, version and kind');
  }
  const version = bytes[magic.length]!;
  if (version !== queueFrameVersion) {
    throw new PinwheelError('bad-request', `the post has version ${version}; known: ${queueFrameVersion}`);
  }
  const kind = bytes[magic.length + 1]!;
  if (kind === kinds.messages) return { kind: 'messages', batch: bytes.subarray(queueHeadBytes) };
  if (kind === kinds.everybody) return readEverybody(bytes);
  throw new PinwheelError('bad-request', `the post is of kind ${kind}; known: 1 messages, 2 everybody`);
}

function readEverybody(bytes: Buffer): QueueFrame {
  const flags = bytes[queueHeadBytes];
  if (flags === undefined || flags > binaryFlag) {
    throw new PinwheelError('bad-request', `the post to everybody has flags ${flags}; known: 0, 1`);
  }
  const data = bytes.subarray(queueHeadBytes + 1);
  if (data.length > maxMessageBytes) {
    throw new PinwheelError(
      'too-large',
      `data has ${data.length} bytes; it must have at most ${maxMessageBytes}`,
    );
  }
  const binary = flags === binaryFlag;
  if (!binary && !isUtf8(data)) {
    throw new PinwheelError('bad-request', 'the post to everybody is text and not valid UTF-8');
  }
  return { kind: 'everybody', data, binary };
}

function writeHead(bytes: Uint8Array, kind: number): void {
  bytes.set(magic);
  bytes[magic.length] = queueFrameVersion;
  bytes[magic.length + 1] = kind;
}
