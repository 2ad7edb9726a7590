import { connect, type Socket } from 'node:net';
import { until } from '../../../test/kit/until.js';

export const key = 'dGhlIHNhbXBsZSBub25jZQ==';
/** Of the key above, as RFC 6455 has it. */
export const accept = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

/** A client that writes what it is told and keeps every byte that comes. */
export class RawClient {
  readonly socket: Socket;
  received = Buffer.alloc(0);
  ended = false;
  closed = false;

  /** @param localAddress of this machine, from where it connects. */
  constructor(port: number, localAddress = '127.0.0.1') {
    this.socket = connect({ port, host: '127.0.0.1', localAddress, allowHalfOpen: true });
    this.socket.on('error', () => {});
    this.socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
    });
    this.socket.on('end', () => {
      this.ended = true;
      this.socket.end();
    });
    this.socket.on('close', () => {
      this.closed = true;
    });
  }

  get text(): string {
    return this.received.toString('latin1');
  }

  get status(): number {
    return Number(/^HTTP\/1\.1 (\d{3})/.exec(this.text)?.[1]);
  }

  /** What came behind the head of the answer. */
  get body(): Buffer {
    const end = this.received.indexOf('\r\n\r\n');
    return end < 0 ? Buffer.alloc(0) : this.received.subarray(end + 4);
  }

  write(text: string | Buffer): this {
    this.socket.write(text);
    return this;
  }

  async answered(): Promise<this> {
    await until('the head of an answer', () => this.text.includes('\r\n\r\n') || this.closed);
    return this;
  }

  async gone(): Promise<this> {
    await until('the end of the connection', () => this.closed);
    return this;
  }
}

/** An upgrade as a client writes it; `headers` are added, and replace those of the same name. */
export function upgradeText(
  target: string,
  headers: Readonly<Record<string, string | undefined>> = {},
  line = `GET ${target} HTTP/1.1`,
): string {
  const all: Record<string, string | undefined> = {
    Host: 'localhost',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': key,
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}`],
  );
  return `${[line, ...lines].join('\r\n')}\r\n\r\n`;
}

/** A frame as a client sends it, masked with zeros. */
export function clientFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}

/** The payloads of whole, short, unmasked frames, with their opcodes. */
export function serverFrames(
  bytes: Buffer,
): readonly { readonly opcode: number; readonly payload: Buffer }[] {
  const frames: { opcode: number; payload: Buffer }[] = [];
  for (let at = 0; at + 1 < bytes.length; ) {
    const length = bytes[at + 1]!;
    frames.push({ opcode: bytes[at]! & 0x0f, payload: bytes.subarray(at + 2, at + 2 + length) });
    at += 2 + length;
  }
  return frames;
}
