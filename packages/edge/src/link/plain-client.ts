import { encodeClientFrame } from '@pinwheel/protocol';
import { Client } from './client.js';

const messageHeadBytes = 6;
const replyHeadBytes = 1;
/** First byte of a MESSAGE whose data is binary; those above are REPLYs. */
const binaryMessage = 2;

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
    const number = ++this.#number;
    const frame = encodeClientFrame({ kind: 'message', number, binary, data }, (bytes) =>
      Buffer.allocUnsafe(bytes),
    );
    this.session.send(number, frame);
  }

  attached(): void {}

  taken(): void {}

  receipt(): void {}

  protected putFrame(frame: Uint8Array): void {
    const kind = frame[0]!;
    const dataAt = kind <= binaryMessage ? messageHeadBytes + frame[5]! : replyHeadBytes;
    const data = new Uint8Array(frame.buffer, frame.byteOffset + dataAt, frame.length - dataAt);
    // kinds with binary data are even
    this.put(data, (kind & 1) === 0);
  }
}
