import { Buffer, isUtf8 } from 'node:buffer';
import {
  type Attached,
  type ClientControl,
  type ClientFrame,
  clientHeadBytes,
  decodeClientFrame,
  encodeServerFrame,
  type FrameInPlace,
  maxTokenBytes,
  PinwheelError,
  parseClientControl,
  type Receipt,
  type ServerControl,
} from '@pinwheel/protocol';
import { Client } from './client.js';

/** What a control message has beside its token, at most. */
const overheadBytes = 1024;

/** A client that speaks `pinwheel.v1`. What crosses the link for it is laid out as it gets and sends it. */
export class V1Client extends Client {
  /** From the hello; empty before. */
  #key = '';
  /** Of the newest message; 0 before. */
  #number = 0;
  /** Up to which its messages have been processed, as it knows. */
  #taken = 0;
  #welcomes = 0;
  /** It was asked for a new token, and has not sent it. */
  #renewing = false;

  get acknowledges(): boolean {
    return true;
  }

  received(data: Uint8Array, binary: boolean): void {
    const { maxInboundBytes } = this.context.options;
    const most = binary
      ? maxInboundBytes + clientHeadBytes(data)
      : Math.max(maxInboundBytes, maxTokenBytes) + overheadBytes;
    if (data.length > most) {
      this.session.close('too-large');
      return;
    }
    try {
      if (binary) this.#frame(decodeClientFrame(data, isUtf8), data);
      else
        this.#control(parseClientControl(Buffer.from(data.buffer, data.byteOffset, data.length).toString()));
    } catch (thrown) {
      if (!(thrown instanceof PinwheelError) || thrown.code !== 'protocol') throw thrown;
      this.session.close('protocol-error');
    }
  }

  attached({ stream, seq, recovered, taken, resumeWindowMs }: Attached, isNews: boolean): void {
    if (this.#welcomes > 0 && !isNews) {
      this.taken(taken);
      return;
    }
    this.#welcomes++;
    this.#taken = taken;
    const { maxInboundBytes: maxMessageBytes } = this.context.options;
    const session = this.#key;
    this.#say({ type: 'welcome', session, stream, seq, recovered, taken, resumeWindowMs, maxMessageBytes });
  }

  taken(number: number): void {
    if (number <= this.#taken) return;
    this.#taken = number;
    this.write(encodeServerFrame({ kind: 'taken', number }), true);
  }

  receipt(number: number, receipt: Receipt): void {
    this.#say({ type: 'receipt', number, receipt });
  }

  frame(seq: number, _binary: boolean, frame: FrameInPlace): void {
    this.collect({ data: frame.whole(), binary: true, seq });
  }

  askForToken(): void {
    if (this.#key === '') return;
    this.#renewing = true;
    this.#say({ type: 'renew' });
  }

  #control(control: ClientControl): void {
    switch (control.type) {
      case 'hello':
        if (this.#key !== '') throw new PinwheelError('protocol', 'a second hello');
        this.#key = control.session;
        this.session.hello(control.session, control.epoch, control.positions);
        return;
      case 'ping':
        this.#mustBeGreeted();
        this.#say({ type: 'pong' });
        return;
      case 'token':
        this.#mustBeGreeted();
        // one for each time that it was asked: each costs a signature to check
        if (!this.#renewing) return;
        this.#renewing = false;
        this.renewed(control.token);
        return;
      default:
        control satisfies never;
    }
  }

  #frame(frame: ClientFrame, bytes: Uint8Array): void {
    this.#mustBeGreeted();
    if (frame.kind === 'ack') {
      if (frame.welcomes === this.#welcomes % 256) this.session.acknowledge(frame.seq);
      return;
    }
    const { number } = frame;
    if (number === 0) throw new PinwheelError('protocol', 'number is 0; the first one is 1');
    if (frame.kind === 'send' && frame.repeated) {
      this.session.sent.askAgain(number, Buffer.from(bytes));
      return;
    }
    // sent again after a welcome; here it was kept, or it was processed
    if (number <= this.#number) return;
    if (this.#number !== 0 && number !== this.#number + 1) {
      throw new PinwheelError('protocol', `number is ${number}; it must be ${this.#number + 1}`);
    }
    this.#number = number;
    this.sent(number, Buffer.from(bytes), frame.kind === 'send');
  }

  #mustBeGreeted(): void {
    if (this.#key === '') throw new PinwheelError('protocol', 'the first message must be hello');
  }

  #say(control: ServerControl): void {
    this.write(JSON.stringify(control), false);
  }
}
