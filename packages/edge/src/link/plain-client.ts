import { Buffer } from 'node:buffer';
import { encodeClientFrame, type FrameInPlace, maxU32 } from '@pinwheel/protocol';
import { Client } from './client.js';

/** A client without a subprotocol: bare payloads in both directions. It is numbered and acknowledged for here. */
export class PlainClient extends Client {
  #number = 0;

  get acknowledges(): boolean {
    return false;
  }

  received(data: Uint8Array, binary: boolean): void {
    if (data.length > this.context.options.maxInboundBytes) {
      this.session.close('too-large');
      return;
    }
    if (this.#number === maxU32) {
      // it comes back with a session of its own, and numbers that begin anew
      this.session.close('unavailable');
      return;
    }
    const number = ++this.#number;
    const frame = encodeClientFrame({ kind: 'message', number, binary, data }, (bytes) =>
      Buffer.allocUnsafe(bytes),
    );
    this.sent(number, frame, false);
  }

  askForToken(): void {}

  attached(): void {}

  taken(): void {}

  receipt(): void {}

  frame(seq: number, binary: boolean, frame: FrameInPlace): void {
    this.collect({ data: frame.data(), binary, seq });
  }
}
