export interface SessionEvent {
  readonly user: string;
  /** Id of the session; a user may have several. */
  readonly session: string;
}

export interface ConnectEvent extends SessionEvent {
  /** Id of the edge that the client came through, if any. */
  readonly edge: string | undefined;
}

export interface MessageEvent extends SessionEvent {
  /**
   * The same when the message comes again, at whichever node: after one has died it may. `undefined` for a client that came
   * without an edge, or through a tunnel: its messages come once at most.
   */
  readonly id: string | undefined;
  /** A string for a text frame, bytes of its own for a binary frame. */
  readonly data: string | Buffer;
  /** Sends to this session. Says whether it was taken: not when the session is closed or at its bound. */
  reply(data: string | Uint8Array): boolean;
  /** Sends to any user, on whatever node; resolves with the receipt. */
  send(user: string, data: string | Uint8Array): Promise<import('@pinwheel/protocol').Receipt>;
}

export interface SendEvent extends SessionEvent {
  /** The user whom it is for. */
  readonly to: string;
  /** A string for text, bytes for binary. */
  readonly data: string | Buffer;
}

export interface DisconnectEvent extends SessionEvent {
  readonly code: number;
  readonly reason: string;
}

/**
 * What takes the messages that clients send. For one user the calls come one after the other: the next one waits
 * for the promise of the one before. Different users do not wait for one another.
 */
export interface Application {
  /**
   * A session has begun. Throwing refuses it: the client is closed with 4502 and does not come again. Throwing an
   * error whose `code` is `unavailable` closes it with 4004: it does.
   */
  onConnect?(event: ConnectEvent): void | Promise<void>;
  /**
   * A client has sent a message. Throwing closes the client with 4004: the message was not processed, and none that
   * this connection sent behind it will be. A `pinwheel.v1` client comes back and sends them again.
   */
  onMessage?(event: MessageEvent): void | Promise<void>;
  /**
   * A client sends to another user. Only `true` lets the message pass; anything else, and throwing, is an answer with
   * `not-allowed` or the error. Without it no client reaches another.
   */
  onSend?(event: SendEvent): boolean | Promise<boolean>;
  /** A session has ended, whoever ended it. Not called for a session that `onConnect` refused. */
  onDisconnect?(event: DisconnectEvent): void | Promise<void>;
}
