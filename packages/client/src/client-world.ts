/** Time as the client sees it. */
export interface Clock {
  /** Milliseconds; never goes back. */
  now(): number;
  /** Calls once, later, never from inside this call. Returns the call that cancels it. */
  after(ms: number, call: () => void): () => void;
}

/** A socket that was opened. After `close` it is not used again. */
export interface SocketPort {
  /** Bytes that were sent and have yet to leave; not there when it is not known. */
  readonly bufferedAmount?: number;
  send(data: string | Uint8Array): void;
  close(code: number, reason: string): void;
}

/** What a socket tells, never from inside a call of the client's, and nothing after `closed`. */
export interface SocketEvents {
  opened(): void;
  text(data: string): void;
  binary(data: Uint8Array): void;
  /** Also when it could not be opened. */
  closed(code: number, reason: string): void;
}

/** All that the client needs of the world around it. */
export interface ClientWorld {
  readonly clock: Clock;
  /** 0 up to, but not including, 1. */
  random(): number;
  open(protocols: string[], events: SocketEvents): SocketPort;
  /** Has what the application's callbacks throw. Default: `reportError`, or the console. */
  readonly report?: (thrown: unknown) => void;
}
