/** A WebSocket close that Pinwheel sends. 4000–4499: reconnect; 4500–4999: do not. */
export interface CloseCode {
  readonly code: number;
  readonly name: string;
  /** At most 123 bytes on the wire. {@link closeReasonOf} gives the reason of the codes that carry a delay. */
  readonly reason: string;
  readonly reconnect: boolean;
}

export const closeCodes = {
  /** The user belongs to another node now. The reason is `{"retryAfterMs":n}`. */
  moved: { code: 4000, name: 'moved', reason: 'moved, reconnect', reconnect: true },
  /** The node behind the edge went away without a word. The reason is `{"retryAfterMs":n}`. */
  ownerLost: { code: 4001, name: 'owner-lost', reason: 'node lost, reconnect', reconnect: true },
  /** The client did not read what was sent to it and the session's bound was reached. */
  tooSlow: { code: 4002, name: 'too-slow', reason: 'client does not read', reconnect: true },
  /** The client sent faster than the application takes it. */
  inboundOverflow: {
    code: 4003,
    name: 'inbound-overflow',
    reason: 'messages faster than they are taken',
    reconnect: true,
  },
  /** The application failed on a message of this client; it was not processed. */
  applicationFailed: {
    code: 4004,
    name: 'application-failed',
    reason: 'the application failed on a message',
    reconnect: true,
  },
  /** The client's token has ended, and it has sent no new one. It comes back with another. */
  tokenExpired: { code: 4005, name: 'token-expired', reason: 'the token has ended', reconnect: true },
  /** No node could take the session in time. The reason is `{"retryAfterMs":n}`. */
  unavailable: {
    code: 4006,
    name: 'unavailable',
    reason: 'no node could take the session in time',
    reconnect: true,
  },
  /** The client, or its user on all connections together, sent more messages or bytes a second than are allowed. */
  rateExceeded: {
    code: 4007,
    name: 'rate-exceeded',
    reason: 'more messages a second than are allowed',
    reconnect: true,
  },
  /** The client asked for `pinwheel.v1` and did not say hello in time: its device may have slept just then. */
  helloTimeout: { code: 4008, name: 'hello-timeout', reason: 'no hello in time', reconnect: true },
  /** An operator or the application closed the session: the default of `DELETE …/sessions`. */
  disconnected: { code: 4500, name: 'disconnected', reason: 'disconnected', reconnect: false },
  /** The client sent a message to a node without an application. */
  notAccepted: {
    code: 4501,
    name: 'not-accepted',
    reason: 'this service takes no messages from clients',
    reconnect: false,
  },
  /** The application's `onConnect` refused the session. */
  refused: {
    code: 4502,
    name: 'refused',
    reason: 'the application refused the connection',
    reconnect: false,
  },
  /** The client sent a message over the node's bound. */
  tooLarge: { code: 4503, name: 'too-large', reason: 'message too large', reconnect: false },
  /** What the client sent is not `pinwheel.v1`, the subprotocol that it has asked for. */
  protocolError: { code: 4504, name: 'protocol-error', reason: 'not pinwheel.v1', reconnect: false },
  /** The same session has connected again: only the newest connection counts. */
  superseded: {
    code: 4505,
    name: 'superseded',
    reason: 'a newer connection of this session',
    reconnect: false,
  },
} as const satisfies Record<string, CloseCode>;

/** Whether a client that was closed with this code connects again; codes of the standard count as "yes". */
export function shouldReconnect(code: number): boolean {
  return code < 4500 || code > 4999;
}

/** The reason of `moved`, `owner-lost` and `unavailable`: how long the client waits before it connects again, in ms. */
export function closeReasonOf(retryAfterMs: number): string {
  return `{"retryAfterMs":${Math.round(retryAfterMs)}}`;
}
