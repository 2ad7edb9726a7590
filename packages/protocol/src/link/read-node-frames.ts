import { serverKinds } from '../client/kinds.js';
import { maxHandoffBytes, maxIncarnationBytes, maxMemberBytes, maxStreamBytes } from '../field-bounds.js';
import { maxIdBytes, maxMessageBytes } from '../message.js';
import { FrameReader } from './frame-reader.js';
import { attachedFlags, nodeFrameTypes as types } from './frame-types.js';
import type { Attached, NodeFramesIn } from './frames.js';
import { decodeReceipt } from './receipt-json.js';

/**
 * Reads a link message from a node, with one call for each frame, in their order. Whether a frame may come now, and
 * which session it concerns, is for the called to judge.
 *
 * The data of MESSAGE and REPLY is passed on as it is: what is flagged as text is not looked through, because the
 * node has done that when the message was sent to it, and an edge does little else than read these frames.
 *
 * @throws PinwheelError `protocol`; the frames before the broken one have been handed over. What a call throws.
 */
export function readNodeFrames(bytes: Uint8Array, frames: NodeFramesIn): void {
  const reader = new FrameReader(bytes);
  for (let type = reader.next(); type !== 0; type = reader.next()) readFrame(type, reader, frames);
}

function readFrame(type: number, reader: FrameReader, frames: NodeFramesIn): void {
  switch (type) {
    case types.message:
      readMessage(reader, frames);
      break;
    case types.reply:
      readReply(reader, frames);
      break;
    case types.hello: {
      const version = reader.u8('version');
      const node = reader.text('node', 1, maxMemberBytes);
      const incarnation = reader.text('incarnation', 1, maxIncarnationBytes);
      reader.done();
      frames.hello(version, node, incarnation);
      break;
    }
    case types.attached:
      frames.attached(readAttached(reader));
      break;
    case types.repin: {
      const session = reader.u32('session');
      const to = reader.text('to', 0, maxMemberBytes);
      const handoff = reader.text('handoff', 0, maxHandoffBytes);
      reader.done();
      frames.repin(session, to, handoff);
      break;
    }
    case types.taken: {
      const session = reader.u32('session');
      const number = reader.u32('number');
      reader.done();
      frames.taken(session, number);
      break;
    }
    case types.receipt: {
      const session = reader.u32('session');
      const number = reader.u32('number');
      frames.receipt(session, number, decodeReceipt(reader.rest()));
      break;
    }
    case types.close: {
      const session = reader.u32('session');
      const code = reader.closeCode();
      const reason = reader.reason();
      reader.done();
      frames.close(session, code, reason);
      break;
    }
    case types.ping: {
      const number = reader.u32('number');
      reader.done();
      frames.ping(number);
      break;
    }
    case types.pong: {
      const number = reader.u32('number');
      reader.done();
      frames.pong(number);
      break;
    }
    default:
      throw reader.unknown();
  }
}

function readAttached(reader: FrameReader): Attached {
  const session = reader.u32('session');
  const flags = reader.flags(attachedFlags.recovered);
  const seq = reader.u32('seq');
  const taken = reader.u32('taken');
  const resumeWindowMs = reader.u32('resume window');
  const stream = reader.text('stream', 1, maxStreamBytes);
  reader.done();
  return { session, recovered: (flags & attachedFlags.recovered) !== 0, stream, seq, taken, resumeWindowMs };
}

function readMessage(reader: FrameReader, frames: NodeFramesIn): void {
  const session = reader.u32('session');
  reader.beginCarried();
  const kind = reader.u8('kind');
  if (kind !== serverKinds.message && kind !== serverKinds.binaryMessage) {
    throw reader.broken(
      `its kind is ${kind}; it must be ${serverKinds.message} or ${serverKinds.binaryMessage}`,
    );
  }
  const seq = reader.u32('seq');
  const idBytes = reader.u8('id');
  if (idBytes > maxIdBytes)
    throw reader.broken(`id has ${idBytes} bytes; it must have at most ${maxIdBytes}`);
  reader.skip('id', idBytes);
  checkData(reader);
  frames.message(session, seq, kind === serverKinds.binaryMessage, reader);
}

function readReply(reader: FrameReader, frames: NodeFramesIn): void {
  const session = reader.u32('session');
  reader.beginCarried();
  const kind = reader.u8('kind');
  if (kind !== serverKinds.reply && kind !== serverKinds.binaryReply) {
    throw reader.broken(`its kind is ${kind}; it must be ${serverKinds.reply} or ${serverKinds.binaryReply}`);
  }
  checkData(reader);
  frames.reply(session, kind === serverKinds.binaryReply, reader);
}

function checkData(reader: FrameReader): void {
  if (reader.left > maxMessageBytes) {
    throw reader.broken(`data has ${reader.left} bytes; it must have at most ${maxMessageBytes}`);
  }
}
