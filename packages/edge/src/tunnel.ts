import type { Socket } from 'node:net';
import type { Member } from '@pinwheel/membership';
import { closeCodes, closeReasonOf } from '@pinwheel/protocol';
import { closeFrame } from './close-frame.js';
import type { CloseReason, TunnelCounters } from './edge-counters.js';
import { FrameFollower } from './frame-boundary.js';
import { jitterMs } from './jitter.js';
import type { TunnelOptions } from './tunnel-options.js';

type State =
  /** Bytes go both ways. */
  | { readonly kind: 'open' }
  /** A close frame waits for the end of the frame that the backend is sending. */
  | {
      readonly kind: 'closing';
      readonly reason: CloseReason;
      readonly frame: Buffer;
      readonly timer: NodeJS.Timeout;
    }
  /** The client has its close frame; what it answers still goes to the backend, nothing comes back. */
  | { readonly kind: 'told'; readonly reason: CloseReason; readonly timer: NodeJS.Timeout }
  /** One side has ended; the other gets what is left and follows. */
  | { readonly kind: 'ending'; readonly reason: CloseReason; readonly timer: NodeJS.Timeout }
  | { readonly kind: 'gone' };

const ownerLostJitterMs = 1000;

/** One client's connection and the backend's behind it, after the 101. Byte for byte until somebody closes it. */
export class Tunnel {
  readonly user: string;
  readonly hash: number;
  readonly member: Member;
  readonly port: number;
  readonly #client: Socket;
  readonly #backend: Socket;
  readonly #follower = new FrameFollower();
  readonly #closeTimeoutMs: number;
  readonly #counters: TunnelCounters;
  readonly #gone: (tunnel: Tunnel, reason: CloseReason) => void;
  #state: State = { kind: 'open' };

  /** @param early what the client sent behind its upgrade; goes to the backend first. */
  constructor(options: TunnelOptions, early: Buffer) {
    this.user = options.user;
    this.hash = options.hash;
    this.member = options.member;
    this.port = options.port;
    this.#client = options.client;
    this.#backend = options.backend;
    this.#closeTimeoutMs = options.closeTimeoutMs;
    this.#counters = options.counters;
    this.#gone = options.gone;
    if (early.length > 0) this.#fromClient(early);
    this.#listen();
  }

  get isOpen(): boolean {
    return this.#state.kind === 'open';
  }

  /**
   * Closes from this side: at the next frame boundary the client gets this close frame and nothing after it. Its
   * answer goes to the backend; when either side ends, or at the deadline, both do. Does nothing when it is closing already.
   */
  close(code: number, closeReason: string, reason: CloseReason): void {
    if (this.#state.kind !== 'open') return;
    // the backend has said goodbye itself: a second close frame would be one too many
    if (this.#follower.closeSeen) return;
    this.#enter({ kind: 'closing', reason, frame: closeFrame(code, closeReason), timer: this.#deadline() });
    if (this.#follower.atBoundary) this.#tell();
  }

  /** Cuts both sockets now, without a word. */
  destroy(reason: CloseReason): void {
    if (this.#state.kind === 'gone') return;
    if (this.#state.kind === 'open') this.#enter({ kind: 'ending', reason, timer: this.#deadline() });
    this.#client.destroy();
    this.#backend.destroy();
  }

  #listen(): void {
    const client = this.#client;
    const backend = this.#backend;
    backend.on('error', ignore);
    client.on('drain', () => backend.resume());
    backend.on('drain', () => client.resume());
    client.on('end', () => this.#clientEnded());
    client.on('close', () => this.#clientEnded());
    backend.on('end', () => this.#backendEnded());
    backend.on('close', () => this.#backendEnded());
    client.on('data', (chunk: Buffer) => this.#fromClient(chunk));
    backend.on('data', (chunk: Buffer) => this.#fromBackend(chunk));
    client.resume();
    backend.resume();
  }

  #fromClient(chunk: Buffer): void {
    this.#counters.bytesToBackends += chunk.length;
    if (this.#state.kind === 'open') {
      if (!this.#backend.write(chunk)) this.#client.pause();
    } else if (this.#backend.writable && !this.#backend.write(chunk)) {
      this.#client.pause();
    }
  }

  #fromBackend(chunk: Buffer): void {
    switch (this.#state.kind) {
      case 'open':
        this.#follower.follow(chunk);
        this.#toClient(chunk);
        return;
      case 'closing': {
        const end = this.#follower.followToBoundary(chunk);
        this.#toClient(end < 0 ? chunk : chunk.subarray(0, end));
        if (end >= 0) this.#tell();
        return;
      }
      case 'ending':
        if (this.#client.writable) this.#toClient(chunk);
        return;
      case 'told':
      case 'gone':
        return;
      default:
        this.#state satisfies never;
    }
  }

  #toClient(chunk: Buffer): void {
    this.#counters.bytesToClients += chunk.length;
    if (!this.#client.write(chunk)) this.#backend.pause();
  }

  /** Writes the close frame that waited for a boundary. */
  #tell(): void {
    if (this.#state.kind !== 'closing') return;
    const { reason, frame } = this.#state;
    this.#client.write(frame);
    this.#enter({ kind: 'told', reason, timer: this.#deadline() });
    // what it still sends is thrown away, so that it comes to read the client's answer
    this.#backend.resume();
  }

  #clientEnded(): void {
    if (this.#state.kind === 'gone') return;
    if (this.#state.kind !== 'ending') this.#end(this.#reasonSoFar('client-left'));
    if (this.#client.destroyed && this.#backend.destroyed) {
      this.#finish();
      return;
    }
    this.#backend.end();
    // nobody reads what it sends any more, but its end is read
    this.#backend.resume();
  }

  #backendEnded(): void {
    if (this.#state.kind === 'gone') return;
    if (this.#state.kind === 'open') this.#backendLeft();
    else if (this.#state.kind !== 'ending') this.#end(this.#reasonSoFar('finished'));
    if (this.#client.destroyed && this.#backend.destroyed) {
      this.#finish();
      return;
    }
    this.#client.end();
    this.#client.resume();
  }

  #backendLeft(): void {
    const whole = this.#follower.atBoundary;
    if (whole && this.#follower.closeSeen) {
      this.#end('finished');
      return;
    }
    if (whole && this.#client.writable) {
      const { code } = closeCodes.ownerLost;
      this.#client.write(closeFrame(code, closeReasonOf(jitterMs(ownerLostJitterMs))));
    }
    this.#end('owner-lost');
  }

  #reasonSoFar(otherwise: CloseReason): CloseReason {
    return this.#state.kind === 'closing' || this.#state.kind === 'told' ? this.#state.reason : otherwise;
  }

  #end(reason: CloseReason): void {
    this.#enter({ kind: 'ending', reason, timer: this.#deadline() });
  }

  #finish(): void {
    if (this.#state.kind !== 'ending') return;
    const { reason } = this.#state;
    this.#enter({ kind: 'gone' });
    this.#gone(this, reason);
  }

  #enter(next: State): void {
    if ('timer' in this.#state) clearTimeout(this.#state.timer);
    this.#state = next;
  }

  #deadline(): NodeJS.Timeout {
    return setTimeout(() => {
      this.#client.destroy();
      this.#backend.destroy();
    }, this.#closeTimeoutMs);
  }
}

function ignore(): void {}
