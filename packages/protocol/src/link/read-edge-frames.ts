import { isUtf8 } from 'node:buffer';
import { clientDataAt, isClientText } from '../client/client-frame.js';
import {
  maxFingerprintBytes,
  maxHandoffBytes,
  maxIncarnationBytes,
  maxKeyBytes,
  maxMemberBytes,
  maxPositions,
  maxStreamBytes,
} from '../field-bounds.js';
import { maxUserBytes } from '../message.js';
import { FrameReader } from './frame-reader.js';
import { attachFlags, edgeFrameTypes as types } from './frame-types.js';
import type { AttachRequest, EdgeFrames, Position } from './frames.js';

/**
 * Reads a link message from an edge, with one call for each frame, in their order. Whether a frame may come now, and
 * which session it concerns, is for the called to judge.
 *
 * @throws PinwheelError `protocol`; the frames before the broken one have been handed over. What a call throws.
 */
export function readEdgeFrames(bytes: Uint8Array, frames: EdgeFrames): void {
  const reader = new FrameReader(bytes);
  for (let type = reader.next(); type !== 0; type = reader.next()) readFrame(type, reader, frames);
}

function readFrame(type: number, reader: FrameReader, frames: EdgeFrames): void {
  switch (type) {
    case types.hello: {
      const version = reader.u8('version');
      const edge = reader.text('edge', 1, maxMemberBytes);
      const incarnation = reader.text('incarnation', 1, maxIncarnationBytes);
      reader.done();
      frames.hello(version, edge, incarnation);
      break;
    }
    case types.attach:
      frames.attach(readAttach(reader));
      break;
    case types.client: {
      const session = reader.u32('session');
      frames.client(session, readClientFrame(reader));
      break;
    }
    case types.ack: {
      const session = reader.u32('session');
      const seq = reader.u32('seq');
      reader.done();
      frames.ack(session, seq);
      break;
    }
    case types.pause: {
      const session = reader.u32('session');
      reader.done();
      frames.pause(session);
      break;
    }
    case types.continue: {
      const session = reader.u32('session');
      reader.done();
      frames.continue(session);
      break;
    }
    case types.detach: {
      const session = reader.u32('session');
      const seq = reader.u32('seq');
      reader.done();
      frames.detach(session, seq);
      break;
    }
    case types.closed:
    case types.leave: {
      const session = reader.u32('session');
      const code = reader.closeCode();
      const reason = reader.reason();
      reader.done();
      if (type === types.closed) frames.closed(session, code, reason);
      else frames.leave(session, code, reason);
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

function readAttach(reader: FrameReader): AttachRequest {
  const session = reader.u32('session');
  const flags = reader.flags(attachFlags.acknowledges | attachFlags.resumes);
  const epoch = reader.u32('epoch');
  const key = reader.text('key', 1, maxKeyBytes);
  const user = reader.text('user', 1, maxUserBytes);
  const fingerprint = reader.text('fingerprint', 0, maxFingerprintBytes);
  const handoff = reader.text('handoff', 0, maxHandoffBytes);
  const positions = readPositions(reader);
  reader.done();
  return {
    session,
    acknowledges: (flags & attachFlags.acknowledges) !== 0,
    resumes: (flags & attachFlags.resumes) !== 0,
    epoch,
    key,
    user,
    fingerprint,
    handoff,
    positions,
  };
}

function readPositions(reader: FrameReader): readonly Position[] {
  const count = reader.u8('count');
  if (count > maxPositions)
    throw reader.broken(`it has ${count} positions; it must have at most ${maxPositions}`);
  const positions: Position[] = [];
  for (let i = 0; i < count; i++) {
    const stream = reader.text('stream', 1, maxStreamBytes);
    positions.push({ stream, seq: reader.u32('seq') });
  }
  return positions;
}

function readClientFrame(reader: FrameReader): Uint8Array {
  const frame = reader.rest();
  const dataAt = clientDataAt(frame);
  if (dataAt === undefined)
    throw reader.broken('what the client sent is an ACK; it must be a MESSAGE or a SEND');
  if (isClientText(frame) && !isUtf8(frame.subarray(dataAt))) {
    throw reader.broken('its data is text, and not valid UTF-8');
  }
  return frame;
}
