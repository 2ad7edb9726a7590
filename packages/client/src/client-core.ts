import { type ClientReceipt, closeCodes, PinwheelError, shouldReconnect } from '@pinwheel/protocol/client';
import { Application } from './application.js';
import { type ClientOptions, type ClientSettings, clientSettings } from './client-options.js';
import type { ClientStatus } from './client-status.js';
import type { ClientWorld } from './client-world.js';
import { messageOf, sendOf } from './content.js';
import { Conversation } from './conversation.js';
import { Outgoing } from './outgoing.js';
import { RetryWait, toldWait } from './retry-wait.js';
import { Session } from './session.js';
import { protocolsWith } from './token.js';

/** For the other side's answer to a close; without one the socket is left to itself. */
const closeTimeoutMs = 5000;
const ownEnd = { code: 1000, reason: 'closed by the application' };

type State =
  | { readonly kind: 'new' }
  /** For the application's token. */
  | { readonly kind: 'asking'; readonly stop: () => void }
  | { readonly kind: 'talking'; readonly conversation: Conversation }
  | { readonly kind: 'waiting'; readonly stop: () => void; readonly until: number; readonly isTold: boolean }
  /** The application has closed it; the socket has yet to follow. */
  | { readonly kind: 'closing'; readonly stop: () => void; readonly conversation: Conversation }
  | { readonly kind: 'closed' };

export interface SendToOptions {
  /** `client`: the receipt waits until a client of that user has acknowledged the message. */
  readonly wait?: 'client';
}

/**
 * A client of `pinwheel.v1` without sockets or a clock of its own: connects, and connects again as it is told or after a
 * random wait, one conversation at a time, until either side ends it. Unless a token function gives a promise, it does
 * everything within the call that causes it.
 */
export class ClientCore {
  readonly #settings: ClientSettings;
  readonly #world: ClientWorld;
  readonly #application: Application;
  readonly #outgoing: Outgoing;
  readonly #session: Session;
  readonly #retryWait: RetryWait;
  /** Resolves when it is closed for good, by whichever side. */
  readonly ended: Promise<void>;
  #resolveEnded!: () => void;
  #attempts = 0;
  /** Since the attempt began that is under way. */
  #isNetworkNew = false;
  #state: State = { kind: 'new' };
  #status: ClientStatus = { state: 'connecting', attempt: 1 };

  /**
   * @param key the session's name, 16–64 of `A–Z a–z 0–9 _ -`, random: whoever knows it can take the session over.
   * @throws PinwheelError `bad-option`.
   */
  constructor(key: string, options: ClientOptions, world: ClientWorld) {
    this.#settings = clientSettings(options);
    this.#world = world;
    this.#application = new Application(this.#settings, world.report);
    this.#outgoing = new Outgoing(this.#settings, world.clock);
    this.#session = new Session(key, this.#outgoing, this.#application);
    this.#retryWait = new RetryWait(this.#settings.retry, () => world.random());
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
  }

  get status(): ClientStatus {
    return this.#status;
  }

  /** Begins to connect. Callbacks come from here on. May be called twice. */
  start(): void {
    if (this.#state.kind === 'new') this.#connect();
  }

  async send(data: string | Uint8Array): Promise<void> {
    this.#refuseWhenClosed();
    await this.#outgoing.add(messageOf(data));
  }

  async sendTo(
    user: string,
    data: string | Uint8Array,
    { wait }: SendToOptions = {},
  ): Promise<ClientReceipt> {
    this.#refuseWhenClosed();
    const receipt = await this.#outgoing.add(sendOf(user, data, wait));
    return receipt!;
  }

  close(): Promise<void> {
    const state = this.#state;
    if (state.kind === 'talking') {
      const stop = this.#world.clock.after(closeTimeoutMs, () => this.#end(ownEnd));
      const { conversation } = state;
      const { isOpen } = conversation;
      this.#state = { kind: 'closing', stop, conversation };
      this.#outgoing.end(ownEnd.reason);
      conversation.leave(ownEnd);
      // nobody has to follow; and the WebSocket of Node.js 22 tells of no end of one that was not open yet
      if (!isOpen) this.#end(ownEnd);
    } else if (state.kind !== 'closing' && state.kind !== 'closed') {
      this.#end(ownEnd);
    }
    return this.ended;
  }

  /** The network is another one, or there again: asks whether the connection lives, or tries for one sooner. */
  networkChanged(): void {
    const state = this.#state;
    const isTrying = state.kind === 'talking' ? !state.conversation.check() : state.kind === 'asking';
    // what is tried may have begun in the network before
    if (isTrying) this.#isNetworkNew = true;
    // a server that has said when is obeyed
    if (state.kind !== 'waiting' || state.isTold) return;
    const soonMs = this.#retryWait.soon();
    if (this.#world.clock.now() + soonMs < state.until) this.#wait(soonMs, 'the network has changed', false);
  }

  #connect(): void {
    const { clock } = this.#world;
    const { connectTimeoutMs } = this.#settings;
    const until = clock.now() + connectTimeoutMs;
    const late = (): void => this.#retry(`the token did not come within ${connectTimeoutMs} ms`);
    const stop = clock.after(connectTimeoutMs, late);
    const asking: State = { kind: 'asking', stop };
    this.#state = asking;
    this.#tell({ state: 'connecting', attempt: ++this.#attempts });
    // the application may have closed it, here and below
    if (this.#state !== asking) return;
    this.#application.token(
      (token) => {
        if (this.#state !== asking) return;
        const leftMs = until - clock.now();
        if (leftMs > 0) this.#open(token, leftMs);
        else late();
      },
      (thrown) => {
        const why = `the token could not be had: ${PinwheelError.from(thrown).message}`;
        if (this.#state === asking) this.#retry(why);
      },
    );
  }

  /** @param openMs time until the socket is open. */
  #open(token: string | undefined, openMs: number): void {
    try {
      const conversation = new Conversation(
        this.#session,
        this.#settings,
        this.#world,
        protocolsWith(token),
        openMs,
        {
          connected: (how) => this.#connected(how),
          stable: () => this.#retryWait.good(),
          lost: (why) => this.#retry(why),
          closed: (code, reason) => this.#closed(conversation, code, reason),
        },
      );
      this.#stop();
      this.#state = { kind: 'talking', conversation };
    } catch (thrown) {
      this.#retry(PinwheelError.from(thrown).message);
    }
  }

  #connected(how: { readonly resumed: boolean; readonly recovered: boolean }): void {
    this.#attempts = 0;
    this.#isNetworkNew = false;
    this.#tell({ state: 'connected', ...how });
  }

  #closed(conversation: Conversation, code: number, reason: string): void {
    const state = this.#state;
    // a socket that was left to itself may close late
    if (!('conversation' in state) || state.conversation !== conversation) return;
    if (state.kind === 'closing') this.#end(ownEnd);
    else if (shouldReconnect(code) && !this.#isSpent(code))
      this.#retry(closedWith(code, reason), toldWait(reason));
    else this.#end({ code, reason });
  }

  /** A token that is no function's has ended, and there will be no other. */
  #isSpent(code: number): boolean {
    return code === closeCodes.tokenExpired.code && typeof this.#settings.token === 'string';
  }

  #retry(why: string, toldMs?: number): void {
    const nextMs = this.#retryWait.next(toldMs);
    const isSooner = this.#isNetworkNew && toldMs === undefined;
    this.#isNetworkNew = false;
    this.#wait(isSooner ? Math.min(nextMs, this.#retryWait.soon()) : nextMs, why, toldMs !== undefined);
  }

  #wait(retryInMs: number, why: string, isTold: boolean): void {
    const { clock } = this.#world;
    this.#stop();
    const stop = clock.after(retryInMs, () => this.#connect());
    this.#state = { kind: 'waiting', stop, until: clock.now() + retryInMs, isTold };
    this.#tell({ state: 'waiting', retryInMs: Math.round(retryInMs), why });
  }

  #end({ code, reason }: { readonly code: number; readonly reason: string }): void {
    this.#stop();
    this.#state = { kind: 'closed' };
    this.#outgoing.end(closedWith(code, reason), code === closeCodes.notAccepted.code);
    this.#tell({ state: 'closed', code, reason });
    this.#resolveEnded();
  }

  #stop(): void {
    if ('stop' in this.#state) this.#state.stop();
  }

  #tell(status: ClientStatus): void {
    this.#status = status;
    this.#application.status(status);
  }

  #refuseWhenClosed(): void {
    const { kind } = this.#state;
    if (kind === 'closing' || kind === 'closed')
      throw new PinwheelError('closed', 'the connection is closed');
  }
}

function closedWith(code: number, reason: string): string {
  return reason === '' ? `closed with ${code}` : `closed with ${code} (${reason})`;
}
