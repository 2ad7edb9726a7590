import { checkWhole } from '@pinwheel/protocol/client';
import type { ClientStatus } from './client-status.js';

/** A message to the user whom the connection is for. */
export interface IncomingMessage {
  /** Text as it was sent; bytes are a view into what the socket gave, which nobody else uses. */
  readonly data: string | Uint8Array;
  /** Names the message for good; the same in whatever way it came. */
  readonly id: string;
  /** Its number in the user's present stream; rises, perhaps by more than one, and begins anew with a stream. */
  readonly seq: number;
}

export interface ClientOptions {
  /**
   * Proves who the client is; goes as the subprotocol `bearer.<token>`, so it must be of the characters of one, as a JWT
   * is. A function is asked for every connection, and again when the server says that the token ends soon; one that
   * rejects is asked again after a wait. Default: none.
   */
  readonly token?: string | (() => string | Promise<string>);
  /** Has each message once, in order. Those that come while it runs wait; it is not awaited. */
  readonly onMessage?: (message: IncomingMessage) => void;
  /** Has what the application at the server answered to this connection alone. It is lost when the connection breaks. */
  readonly onReply?: (data: string | Uint8Array) => void;
  readonly onStatus?: (status: ClientStatus) => void;
  /**
   * Messages that may wait until they are taken or answered; default 1024. `send` beyond it rejects. Higher: longer
   * absences are bridged, and more comes late. Lower: the application learns sooner that it has to wait.
   */
  readonly maxQueuedMessages?: number;
  /** The same in bytes; default 4,194,304. A message larger than this can never be sent. */
  readonly maxQueuedBytes?: number;
  /**
   * Time for a message until it is taken, or until its receipt has come, in ms; default 30,000. Longer: longer absences
   * are bridged; but a client that was away for longer than its server keeps sessions (60 s by default) is a new one to it, and
   * what had been processed just before is processed again. Shorter: the application learns sooner that it has no answer.
   */
  readonly sendTimeoutMs?: number;
  /**
   * Upper bounds of the random waits before connecting again, in ms; default 500 for the first, doubling to 30,000. A
   * server that says how long is obeyed instead. Higher: clients of a server that was lost come back more spread out.
   * Lower: each is away for less time.
   */
  readonly retry?: { readonly firstMs?: number; readonly longestMs?: number };
  /**
   * A connection counts as good when it has held for so long, in ms; default 5000. Before that the waits go on growing.
   * Longer: a server that takes connections and drops them is asked less often. Shorter: after a second short break the
   * client is back sooner.
   */
  readonly stableMs?: number;
  /**
   * Time from asking for the token until a socket is open, in ms; default 10,000. Longer: slow networks get through.
   * Shorter: an address that does not answer is given up sooner.
   */
  readonly connectTimeoutMs?: number;
  /**
   * Time without a byte from the server after which the connection is dead, in ms; default 30,000. After two thirds of it
   * the client asks. Longer: a phone sleeps better. Shorter: a dead connection is noticed sooner, and proxies that cut
   * silent ones stay content.
   */
  readonly keepAliveMs?: number;
}

/** Every option with its default. */
export type ClientSettings = Required<Omit<ClientOptions, 'token' | 'retry'>> & {
  readonly token: ClientOptions['token'];
  readonly retry: { readonly firstMs: number; readonly longestMs: number };
};

const nothing = (): void => {};

/** @throws PinwheelError `bad-option`. */
export function clientSettings(options: ClientOptions): ClientSettings {
  const { firstMs, longestMs = 30_000 } = options.retry ?? {};
  const settings: ClientSettings = {
    token: options.token,
    onMessage: options.onMessage ?? nothing,
    onReply: options.onReply ?? nothing,
    onStatus: options.onStatus ?? nothing,
    maxQueuedMessages: options.maxQueuedMessages ?? 1024,
    maxQueuedBytes: options.maxQueuedBytes ?? 4_194_304,
    sendTimeoutMs: options.sendTimeoutMs ?? 30_000,
    retry: { firstMs: firstMs ?? Math.min(500, longestMs), longestMs },
    stableMs: options.stableMs ?? 5000,
    connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    keepAliveMs: options.keepAliveMs ?? 30_000,
  };
  checkWhole('maxQueuedMessages', settings.maxQueuedMessages, 1, 65_536);
  checkWhole('maxQueuedBytes', settings.maxQueuedBytes, 1, 268_435_456);
  checkWhole('sendTimeoutMs', settings.sendTimeoutMs, 1, 3_600_000);
  checkWhole('retry.longestMs', settings.retry.longestMs, 1, 3_600_000);
  checkWhole('retry.firstMs', settings.retry.firstMs, 1, settings.retry.longestMs);
  checkWhole('stableMs', settings.stableMs, 0, 3_600_000);
  checkWhole('connectTimeoutMs', settings.connectTimeoutMs, 1, 600_000);
  checkWhole('keepAliveMs', settings.keepAliveMs, 100, 3_600_000);
  return settings;
}
