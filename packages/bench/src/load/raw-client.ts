import { connect, type Socket } from 'node:net';
import { FrameReader } from './frame-reader.js';

export interface RawClientEvents {
  opened(): void;
  /** A message, as a range of bytes that are gone when this returns. */
  message(bytes: Buffer, from: number, to: number): void;
  /** The server said no to the upgrade, or nobody listens: the HTTP status, or 0. */
  refused(status: number): void;
  /** An open connection has ended: the close frame's code and reason, or 1006. */
  closed(code: number, reason: string): void;
}

/** Where a client connects, and as whom. */
export interface RawTarget {
  readonly port: number;
  readonly user: string;
  /** Of the ring by which the client chose a node; an edge or a proxy is told none. */
  readonly fingerprint?: string;
  /** That whoever connects is of the service; a node without keys asks for none. */
  readonly proof?: string;
  /** Default 127.0.0.1. One address reaches a port 28,000 times; 127.0.0.2 as often again. */
  readonly localAddress?: string;
}

const closeOpcode = 8;
const endOfHead = Buffer.from('\r\n\r\n');
/** What was read is dealt with before the next read, so that all sockets share it. */
const readBuffer = Buffer.allocUnsafeSlow(262_144);

/** What a client asks for, and so what a proof is of. */
export function pathOf(user: string): string {
  return `/ws?user=${user}`;
}

/** A WebSocket client that only listens: next to no CPU beside what is measured. */
export class RawClient {
  readonly #socket: Socket;
  readonly #events: RawClientEvents;
  readonly #frames: FrameReader;
  #isOpen = false;
  #code = 1006;
  #reason = '';

  constructor(target: RawTarget, events: RawClientEvents) {
    const { port, user, fingerprint, proof, localAddress = '127.0.0.1' } = target;
    this.#events = events;
    this.#frames = new FrameReader((opcode, bytes, from, to) => {
      if (opcode < closeOpcode) events.message(bytes, from, to);
      else if (opcode === closeOpcode) this.#closing(bytes, from, to);
    });
    const onread = {
      buffer: readBuffer,
      callback: (read: number): boolean => {
        this.#read(readBuffer.subarray(0, read));
        return true;
      },
    };
    this.#socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true, onread });
    this.#socket.on('error', () => {});
    this.#socket.once('close', () => this.#ended());
    this.#socket.write(
      `GET ${pathOf(user)} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n' +
        `${headerLine('pinwheel-fingerprint', fingerprint)}${headerLine('pinwheel-proof', proof)}\r\n`,
    );
  }

  /** With a reset, which leaves no port behind that the next connections have to search around. */
  destroy(): void {
    this.#socket.resetAndDestroy();
  }

  #read(chunk: Buffer): void {
    if (this.#isOpen) {
      this.#frames.read(chunk);
      return;
    }
    // "HTTP/1.1 101"; an answer to an upgrade comes in one piece on this machine
    const status = Number(chunk.toString('latin1', 9, 12));
    if (status !== 101) {
      this.#code = status;
      this.#socket.destroy();
      return;
    }
    this.#isOpen = true;
    this.#events.opened();
    const frames = chunk.indexOf(endOfHead) + endOfHead.length;
    if (frames < chunk.length) this.#frames.read(chunk.subarray(frames));
  }

  #closing(bytes: Buffer, from: number, to: number): void {
    if (to - from >= 2) {
      this.#code = bytes.readUInt16BE(from);
      this.#reason = bytes.toString('utf8', from + 2, to);
    }
    this.#socket.destroy();
  }

  #ended(): void {
    if (this.#isOpen) this.#events.closed(this.#code, this.#reason);
    else this.#events.refused(this.#code === 1006 ? 0 : this.#code);
  }
}

function headerLine(name: string, value: string | undefined): string {
  return value === undefined ? '' : `${name}: ${value}\r\n`;
}
