import { serverKinds } from '../client/kinds.js';
import { maxHandoffBytes, maxIncarnationBytes, maxMemberBytes, maxStreamBytes } from '../field-bounds.js';
import { maxIdBytes } from '../message.js';
import type { Receipt } from '../receipt.js';
import { FrameBuffer } from './frame-buffer.js';
import { attachedFlags, nodeFrameTypes as types } from './frame-types.js';
import type { Attached, NodeFramesOut } from './frames.js';
import { encodeReceipt } from './receipt-json.js';

/**
 * Collects what a node says to an edge. Each call appends a whole frame.
 *
 * @throws PinwheelError, from every call: `protocol` for a field out of bounds, which the edge would close the link
 * for; `overloaded` when the link message would be too long. Nothing is appended then.
 */
export class NodeFrameWriter implements NodeFramesOut {
  readonly #out = new FrameBuffer();

  /** What has been collected, in bytes. */
  get bytes(): number {
    return this.#out.bytes;
  }

  /** The link message, as a view that is valid until the next frame is written. The writer is empty afterwards. */
  take(): Uint8Array {
    return this.#out.take();
  }

  hello(version: number, node: string, incarnation: string): void {
    const out = this.#out;
    out.begin(types.hello);
    out.u8(version);
    out.text('node', node, 1, maxMemberBytes);
    out.text('incarnation', incarnation, 1, maxIncarnationBytes);
    out.end();
  }

  attached({ session, recovered, stream, seq, taken, resumeWindowMs }: Attached): void {
    const out = this.#out;
    out.begin(types.attached);
    out.u32(session);
    out.u8(recovered ? attachedFlags.recovered : 0);
    out.u32(seq);
    out.u32(taken);
    out.u32(resumeWindowMs);
    out.text('stream', stream, 1, maxStreamBytes);
    out.end();
  }

  repin(session: number, to: string, handoff: string): void {
    const out = this.#out;
    out.begin(types.repin);
    out.u32(session);
    out.text('to', to, 0, maxMemberBytes);
    out.text('handoff', handoff, 0, maxHandoffBytes);
    out.end();
  }

  message(session: number, seq: number, id: string, binary: boolean, data: Uint8Array): void {
    const out = this.#out;
    out.begin(types.message, data.length);
    out.u32(session);
    out.u8(binary ? serverKinds.binaryMessage : serverKinds.message);
    out.u32(seq);
    out.shortText('id', id, maxIdBytes);
    out.data(data);
    out.end();
  }

  reply(session: number, binary: boolean, data: Uint8Array): void {
    const out = this.#out;
    out.begin(types.reply, data.length);
    out.u32(session);
    out.u8(binary ? serverKinds.binaryReply : serverKinds.reply);
    out.data(data);
    out.end();
  }

  taken(session: number, number: number): void {
    this.#out.numbers(types.taken, session, number);
  }

  receipt(session: number, number: number, receipt: Receipt): void {
    const json = encodeReceipt(receipt);
    const out = this.#out;
    out.begin(types.receipt, json.length);
    out.u32(session);
    out.u32(number);
    out.data(json);
    out.end();
  }

  close(session: number, code: number, reason: string): void {
    this.#out.close(types.close, session, code, reason);
  }

  ping(number: number): void {
    this.#out.number(types.ping, number);
  }

  pong(number: number): void {
    this.#out.number(types.pong, number);
  }
}
