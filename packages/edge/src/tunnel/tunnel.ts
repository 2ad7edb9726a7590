import type { Socket } from 'node:net';
import type { Member } from '@pinwheel/membership';
import { closeCodes, closeReasonOf } from '@pinwheel/protocol';
import type { CloseReason, TunnelCounters } from '../metrics/edge-counters.js';
import { closeFrame, farewellFrame } from './close-frame.js';
import { Flow } from './flow.js';
import { FrameFollower } from './frame-boundary.js';
import { jitterMs, ownerLostJitterMs } from './jitter.js';
import type { TunnelOptions } from './tunnel-options.js';
import type { TunnelState } from './tunnel-state.js';

/** A backend that was told to end and is silent for so long is taken for hung: its client waits no longer. */
const silentMs = 1000;

/** One client's connection and the backend's behind it, after the 101. Byte for byte until somebody closes it. */
export class Tunnel {
  readonly user: string;
  readonly hash: number;
  readonly member: Member;
  readonly #client: Socket;
  readonly #backend: Socket;
  readonly #toClients = new FrameFollower();
  readonly #toBackends = new FrameFollower();
  readonly #closeTimeoutMs: number;
  readonly #up: Flow;
  readonly #down: Flow;
  readonly #place: TunnelOptions['place'];
  readonly #counters: TunnelCounters;
  readonly #gone: (tunnel: Tunnel, reason: CloseReason) => void;
  #state: TunnelState = { kind: 'open' };

  /** @param early what the client sent behind its upgrade; goes to the backend first. */
  constructor(options: TunnelOptions, early: Buffer) {
    this.user = options.user;
    this.hash = options.hash;
    this.member = options.member;
    const { client, backend, stalledMs } = options;
    this.#client = client;
    this.#backend = backend;
    this.#up = new Flow(client, backend, stalledMs, () => this.#giveUpBackend());
    this.#down = new Flow(backend, client, stalledMs, () => {
      if (this.isOpen) this.destroy('too-slow');
    });
    this.#closeTimeoutMs = options.closeTimeoutMs;
    this.#place = options.place;
    this.#counters = options.counters;
    this.#gone = options.gone;
    if (early.length > 0) this.#fromClient(early);
    this.#listen();
  }

  get isOpen(): boolean {
    return this.#state.kind === 'open';
  }

  /**
   * Closes from this side, the backend first: what it has written by then still comes to the client, and then this close
   * frame, and nothing after it. What the client sends meanwhile is dropped, as by a server that closes. A backend that is
   * silent is not waited for. Does nothing when it is closing already.
   */
  close(code: number, closeReason: string, reason: CloseReason): void {
    if (!this.isOpen) return;
    if (!this.#toClients.closeSeen) {
      this.#enter({ kind: 'leaving', reason, frame: closeFrame(code, closeReason), timer: this.#patience() });
      if (this.#toBackends.atBoundary) this.#part();
      // the backend has said goodbye itself: a second close frame would be one too many
    } else if (this.#toClients.atBoundary) this.#told(reason);
    else this.#end(reason);
  }

  /** Cuts both sockets now, without a word. */
  destroy(reason: CloseReason): void {
    if (this.#state.kind === 'gone') return;
    if (this.isOpen) this.#end(reason);
    this.#client.destroy();
    this.#backend.destroy();
  }

  #listen(): void {
    const client = this.#client;
    const backend = this.#backend;
    backend.on('error', () => {});
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
    switch (this.#state.kind) {
      case 'open':
        this.#passOn(chunk);
        return;
      case 'leaving': {
        const end = this.#toBackends.followToBoundary(chunk);
        this.#toBackend(end < 0 ? chunk : chunk.subarray(0, end));
        if (end < 0) return;
        this.#part();
        this.#toBackends.follow(chunk.subarray(end));
        return;
      }
      case 'parting':
      case 'closing':
        this.#toBackends.follow(chunk);
        return;
      case 'told':
        this.#toBackends.follow(chunk);
        // it has answered: no need to wait for the backend's end
        if (this.#toBackends.closeSeen) this.#client.end();
        return;
      case 'ending':
        if (this.#backend.writable) this.#toBackend(chunk);
        return;
      case 'gone':
        return;
      default:
        this.#state satisfies never;
    }
  }

  #fromBackend(chunk: Buffer): void {
    switch (this.#state.kind) {
      case 'open':
        this.#toClients.follow(chunk);
        this.#toClient(chunk);
        return;
      case 'leaving':
      case 'parting': {
        const end = this.#toClients.followToClose(chunk);
        if (end !== 0) this.#toClient(end < 0 ? chunk : chunk.subarray(0, end));
        if (end >= 0) this.#tell();
        return;
      }
      case 'closing': {
        const end = this.#toClients.followToBoundary(chunk);
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

  /** Also what is too much: a backend is left at a boundary. */
  #passOn(chunk: Buffer): void {
    const { frames } = this.#toBackends;
    this.#toBackends.follow(chunk);
    this.#toBackend(chunk);
    if (this.#place.sent(this.#toBackends.frames - frames, chunk.length)) return;
    this.close(closeCodes.rateExceeded.code, closeCodes.rateExceeded.reason, 'rate-exceeded');
  }

  #toBackend(chunk: Buffer): void {
    this.#counters.bytesToBackends += chunk.length;
    this.#up.write(chunk);
  }

  #toClient(chunk: Buffer): void {
    this.#counters.bytesToClients += chunk.length;
    this.#down.write(chunk);
  }

  /** Its client may be gone: nobody sees that while nothing is read of it. */
  #giveUpBackend(): void {
    const { code } = closeCodes.ownerLost;
    this.close(code, closeReasonOf(jitterMs(ownerLostJitterMs)), 'owner-lost');
  }

  /** Says goodbye to the backend, in the client's place. */
  #part(): void {
    if (this.#state.kind !== 'leaving') return;
    const { reason, frame } = this.#state;
    // after the client's own close frame nothing may come
    if (!this.#toBackends.closeSeen && this.#backend.writable) this.#backend.write(farewellFrame());
    const until = performance.now() + this.#closeTimeoutMs;
    this.#enter({ kind: 'parting', reason, frame, until, heard: this.#heard, timer: this.#patience() });
    // a backend that does not read holds the client back no longer: its end has to be read
    this.#client.resume();
  }

  /** The backend has not ended in time. */
  #impatient(): void {
    const state = this.#state;
    if (state.kind !== 'leaving' && state.kind !== 'parting') return;
    // not hung: its last bytes are on their way, or the client is slow to take them
    const busy = state.kind === 'parting' && (this.#heard > state.heard || this.#backend.isPaused());
    if (busy && performance.now() < state.until) {
      this.#enter({ ...state, heard: this.#heard, timer: this.#patience() });
      return;
    }
    const { reason, frame } = state;
    this.#enter({ kind: 'closing', reason, frame, timer: this.#deadline() });
    if (this.#toClients.atBoundary) this.#tell();
  }

  /** Writes the close frame: the client is at a boundary. */
  #tell(): void {
    const state = this.#state;
    if (!('frame' in state)) return;
    this.#client.write(state.frame);
    this.#told(state.reason);
  }

  /** The client has a close frame, and nothing else goes either way. */
  #told(reason: CloseReason): void {
    this.#enter({ kind: 'told', reason, timer: this.#deadline() });
    this.#backend.end();
    // what either of them still sends is thrown away, but their ends are read
    this.#backend.resume();
    this.#client.resume();
  }

  #clientEnded(): void {
    if (this.#state.kind === 'gone') return;
    if (this.#state.kind !== 'ending') this.#end(this.#reasonOr('client-left'));
    this.#follow(this.#backend);
  }

  #backendEnded(): void {
    if (this.#state.kind === 'gone') return;
    if (this.isOpen) this.#backendLeft();
    else if (this.#state.kind !== 'ending') this.#backendFollowed();
    this.#follow(this.#client);
  }

  /** One side has ended: nobody reads what the other one sends any more, but its end is read. */
  #follow(other: Socket): void {
    const state = this.#state;
    if (this.#client.destroyed && this.#backend.destroyed && state.kind === 'ending') {
      this.#enter({ kind: 'gone' });
      this.#gone(this, state.reason);
      return;
    }
    other.end();
    other.resume();
  }

  #backendLeft(): void {
    const whole = this.#toClients.atBoundary;
    if (whole && this.#toClients.closeSeen) {
      this.#end('finished');
      return;
    }
    if (whole && this.#client.writable) {
      const { code } = closeCodes.ownerLost;
      this.#client.write(closeFrame(code, closeReasonOf(jitterMs(ownerLostJitterMs))));
    }
    this.#end('owner-lost');
  }

  #backendFollowed(): void {
    const state = this.#state;
    const untold = 'frame' in state && this.#toClients.atBoundary;
    if (untold && this.#client.writable) this.#client.write(state.frame);
    this.#end(this.#reasonOr('finished'));
  }

  get #heard(): number {
    return this.#backend.bytesRead;
  }

  #reasonOr(otherwise: CloseReason): CloseReason {
    return 'reason' in this.#state ? this.#state.reason : otherwise;
  }

  #end(reason: CloseReason): void {
    this.#up.unwatch();
    this.#down.unwatch();
    this.#enter({ kind: 'ending', reason, timer: this.#deadline() });
  }

  #enter(next: TunnelState): void {
    if ('timer' in this.#state) clearTimeout(this.#state.timer);
    this.#state = next;
  }

  #patience(): NodeJS.Timeout {
    return setTimeout(() => this.#impatient(), Math.min(this.#closeTimeoutMs, silentMs));
  }

  #deadline(): NodeJS.Timeout {
    return setTimeout(() => {
      this.#client.destroy();
      this.#backend.destroy();
    }, this.#closeTimeoutMs);
  }
}
