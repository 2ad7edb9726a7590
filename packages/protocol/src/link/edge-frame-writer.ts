import { maxClientFrameBytes } from '../client/client-frame.js';
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
import { PinwheelError } from '../pinwheel-error.js';
import { FrameBuffer } from './frame-buffer.js';
import { attachFlags, edgeFrameTypes as types } from './frame-types.js';
import type { AttachRequest, EdgeFrames } from './frames.js';

/**
 * Collects what an edge says to a node. Each call appends a whole frame.
 *
 * @throws PinwheelError, from every call: `protocol` for a field out of bounds, which the node would close the link
 * for; `overloaded` when the link message would be too long. Nothing is appended then.
 */
export class EdgeFrameWriter implements EdgeFrames {
  readonly #out = new FrameBuffer();

  /** What has been collected, in bytes. */
  get bytes(): number {
    return this.#out.bytes;
  }

  /** The link message, as a view that is valid until the next frame is written. The writer is empty afterwards. */
  take(): Uint8Array {
    return this.#out.take();
  }

  hello(version: number, edge: string, incarnation: string): void {
    const out = this.#out;
    out.begin(types.hello);
    out.u8(version);
    out.text('edge', edge, 1, maxMemberBytes);
    out.text('incarnation', incarnation, 1, maxIncarnationBytes);
    out.end();
  }

  attach(request: AttachRequest): void {
    const { positions } = request;
    if (positions.length > maxPositions) {
      throw new PinwheelError(
        'protocol',
        `ATTACH: it has ${positions.length} positions; it must have at most ${maxPositions}`,
      );
    }
    const out = this.#out;
    out.begin(types.attach);
    out.u32(request.session);
    out.u8(
      (request.acknowledges ? attachFlags.acknowledges : 0) | (request.resumes ? attachFlags.resumes : 0),
    );
    out.u32(request.epoch);
    out.text('key', request.key, 1, maxKeyBytes);
    out.text('user', request.user, 1, maxUserBytes);
    out.text('fingerprint', request.fingerprint, 0, maxFingerprintBytes);
    out.text('handoff', request.handoff, 0, maxHandoffBytes);
    out.u8(positions.length);
    for (const { stream, seq } of positions) {
      out.text('stream', stream, 1, maxStreamBytes);
      out.u32(seq);
    }
    out.end();
  }

  client(session: number, frame: Uint8Array): void {
    const out = this.#out;
    out.begin(types.client, frame.length, maxClientFrameBytes);
    out.u32(session);
    out.data(frame);
    out.end();
  }

  ack(session: number, seq: number): void {
    this.#out.numbers(types.ack, session, seq);
  }

  pause(session: number): void {
    this.#out.number(types.pause, session);
  }

  continue(session: number): void {
    this.#out.number(types.continue, session);
  }

  detach(session: number, seq: number): void {
    this.#out.numbers(types.detach, session, seq);
  }

  closed(session: number, code: number, reason: string): void {
    this.#out.close(types.closed, session, code, reason);
  }

  leave(session: number, code: number, reason: string): void {
    this.#out.close(types.leave, session, code, reason);
  }

  ping(number: number): void {
    this.#out.number(types.ping, number);
  }

  pong(number: number): void {
    this.#out.number(types.pong, number);
  }
}
