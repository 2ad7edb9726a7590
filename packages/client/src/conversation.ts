import {
  type ClientControl,
  closeCodes,
  decodeServerFrame,
  encodeClientFrame,
  PinwheelError,
  parseServerControl,
  type ServerControl,
  type ServerFrame,
} from '@pinwheel/protocol/client';
import { Acknowledgements } from './acknowledgements.js';
import type { ClientSettings } from './client-options.js';
import type { ClientWorld, Clock, SocketPort } from './client-world.js';
import { KeepAlive } from './keep-alive.js';
import type { Session } from './session.js';

/** Longer than the 30 s after which an edge says that no node takes the session: its word is better than silence. */
const welcomeTimeoutMs = 40_000;
/** Registered for time-outs; a browser lets a client give 1000 and 3000 to 4999 only. */
const timedOut = { code: 3008, reason: 'timed out' };

type State =
  | { readonly kind: 'opening'; readonly stop: () => void }
  /** It has said hello and waits for the welcome. */
  | { readonly kind: 'greeting'; readonly stop: () => void; readonly keepAlive: KeepAlive }
  | Connected
  | { readonly kind: 'over'; readonly stop: () => void };

interface Connected {
  readonly kind: 'connected';
  readonly stop: () => void;
  readonly acknowledgements: Acknowledgements;
  readonly keepAlive: KeepAlive;
  /** How many came, modulo 256: an acknowledgement says to which of the connection's streams it belongs. */
  welcomes: number;
}

export interface ConversationEvents {
  /** Messages flow; again when messages are lost though the connection stands. */
  connected(how: { readonly resumed: boolean; readonly recovered: boolean }): void;
  /** It has held for long enough to count as good. */
  stable(): void;
  /** Nothing more will come of it: the socket is closed, or left to itself. Called once, and not after `leave`. */
  lost(why: string): void;
  /** The other side has closed it, or has followed after `leave`. */
  closed(code: number, reason: string): void;
}

/** One connection of a session, from the opening of its socket to its end. */
export class Conversation {
  readonly #session: Session;
  readonly #settings: ClientSettings;
  readonly #clock: Clock;
  readonly #events: ConversationEvents;
  readonly #socket: SocketPort;
  /** Something has come behind the welcome. */
  #hasHeard = false;
  /** Bytes, about. */
  #written = 0;
  #state: State;

  /**
   * @param openMs time until the socket is open.
   * @throws what the world's `open` throws.
   */
  constructor(
    session: Session,
    settings: ClientSettings,
    world: ClientWorld,
    protocols: string[],
    openMs: number,
    events: ConversationEvents,
  ) {
    this.#session = session;
    this.#settings = settings;
    this.#clock = world.clock;
    this.#events = events;
    this.#socket = world.open(protocols, {
      opened: () => this.#opened(),
      text: (data) => this.#read(() => this.#control(parseServerControl(data))),
      binary: (data) => this.#read(() => this.#frame(decodeServerFrame(data))),
      closed: (code, reason) => this.#closed(code, reason),
    });
    const stop = this.#loseAfter(openMs, `not open within ${settings.connectTimeoutMs} ms`);
    this.#state = { kind: 'opening', stop };
  }

  /** Whether its socket has opened, and it is not over. */
  get isOpen(): boolean {
    return 'keepAlive' in this.#state;
  }

  /** Ends it from this side. Of what follows only `closed` is told. */
  leave({ code, reason }: { readonly code: number; readonly reason: string }): void {
    if (this.#state.kind === 'connected') this.#state.acknowledgements.sayNow();
    this.#end();
    this.#socket.close(code, reason);
  }

  /** Asks the other side now whether it is there, if it can be asked. Whether it is connected. */
  check(): boolean {
    if ('keepAlive' in this.#state) this.#state.keepAlive.check();
    return this.#state.kind === 'connected';
  }

  #opened(): void {
    if (this.#state.kind !== 'opening') return;
    this.#state.stop();
    const cancel = this.#loseAfter(welcomeTimeoutMs, `no welcome within ${welcomeTimeoutMs} ms`);
    // the other side answers before its welcome, too
    const keepAlive = this.#keepAlive();
    const stop = (): void => {
      cancel();
      keepAlive.stop();
    };
    this.#state = { kind: 'greeting', stop, keepAlive };
    this.#say(this.#session.hello());
  }

  #keepAlive(): KeepAlive {
    const { keepAliveMs } = this.#settings;
    return new KeepAlive(
      this.#clock,
      keepAliveMs,
      () => this.#say({ type: 'ping' }),
      (silentMs) => {
        // perhaps one message has been coming for all this time: only whole ones are heard
        if (this.#state.kind === 'connected' && !this.#hasHeard) this.#session.waitLonger();
        this.#lose(timedOut, `nothing heard for ${silentMs} ms`);
      },
      () => ({
        written: this.#written,
        left: this.#written - (this.#socket.bufferedAmount ?? this.#written),
      }),
      () => this.#session.patience,
    );
  }

  /** @returns the call that has it go on. */
  #loseAfter(ms: number, why: string): () => void {
    return this.#clock.after(ms, () => this.#lose(timedOut, why));
  }

  /** @param read throws when what came is not `pinwheel.v1`. */
  #read(read: () => void): void {
    const state = this.#state;
    if (!('keepAlive' in state)) return;
    state.keepAlive.heard();
    if (state.kind === 'connected') {
      this.#hasHeard = true;
      this.#session.patience = 1;
    }
    try {
      read();
    } catch (thrown) {
      const why = `the server broke the protocol: ${PinwheelError.from(thrown).message}`;
      this.#lose(closeCodes.protocolError, why);
    }
  }

  #control(control: ServerControl): void {
    switch (control.type) {
      case 'welcome':
        this.#welcome(control);
        break;
      case 'renew':
        this.#renew();
        break;
      case 'receipt':
        this.#session.outgoing.receipt(control.number, control.receipt);
        break;
      case 'pong':
        break;
      default:
        control satisfies never;
    }
  }

  #welcome(welcome: Extract<ServerControl, { readonly type: 'welcome' }>): void {
    const { outgoing } = this.#session;
    const state = this.#state;
    const how = this.#session.welcome(welcome);
    if (state.kind === 'connected') {
      state.welcomes = (state.welcomes + 1) % 256;
      // what was written on this connection is in the edge's hands, which brings it to the next node itself
      outgoing.taken(welcome.taken);
      if (!how.recovered) this.#events.connected(how);
      // what was said of the stream before may have been dropped on its way
      else state.acknowledgements.received();
    } else {
      state.stop();
      this.#state = this.#connected();
      outgoing.resume(welcome.taken, welcome.maxMessageBytes, (frame) => this.#send(frame));
      // what came last on the connection before may not have been acknowledged there
      if (how.resumed && how.recovered) this.#state.acknowledgements.received();
      this.#events.connected(how);
    }
  }

  #connected(): Connected {
    const clock = this.#clock;
    const acknowledgements = new Acknowledgements(clock, () => this.#acknowledge());
    const keepAlive = this.#keepAlive();
    const cancelStable = clock.after(this.#settings.stableMs, () => this.#events.stable());
    const stop = (): void => {
      acknowledgements.stop();
      keepAlive.stop();
      cancelStable();
    };
    return { kind: 'connected', stop, acknowledgements, keepAlive, welcomes: 1 };
  }

  #acknowledge(): void {
    if (this.#state.kind !== 'connected') return;
    const { welcomes } = this.#state;
    this.#send(encodeClientFrame({ kind: 'ack', welcomes, seq: this.#session.seq }));
  }

  #frame(frame: ServerFrame): void {
    const state = this.#state;
    if (state.kind !== 'connected') throw new PinwheelError('protocol', 'a message came before the welcome');
    if (frame.kind === 'message') state.acknowledgements.came();
    this.#session.take(frame);
    // the application may have closed it meanwhile
    if (frame.kind === 'message' && this.#state === state) state.acknowledgements.received();
  }

  #renew(): void {
    this.#session.application.renewedToken((token) => {
      if (this.#state.kind !== 'over') this.#say({ type: 'token', token });
    });
  }

  #say(control: ClientControl): void {
    this.#send(JSON.stringify(control));
  }

  #send(data: string | Uint8Array): void {
    this.#written += data.length;
    this.#socket.send(data);
  }

  /** A socket to a place that is silent takes long to close: it is left to itself, and not heard any more. */
  #lose(how: { readonly code: number; readonly reason: string }, why: string): void {
    this.leave(how);
    this.#events.lost(why);
  }

  #closed(code: number, reason: string): void {
    this.#end();
    this.#events.closed(code, reason);
  }

  #end(): void {
    // its session may be in the next conversation by now
    if (this.#state.kind === 'over') return;
    this.#state.stop();
    this.#state = over;
    this.#session.outgoing.pause();
  }
}

const over: State = { kind: 'over', stop: () => {} };
