/**
 * What the tests with real sockets need of a service, so that they can be run against any: two users' messages, and what
 * became of them. How it is reached, and that it is cut off, is the relay's.
 */
export interface Service {
  /** Of its clients' WebSockets, on 127.0.0.1. */
  readonly port: number;
  /** Sends to a user from a server. */
  send(user: string, data: string | Uint8Array): Promise<void>;
  /** What a user's clients have sent to the application, in order. It answers `echo …` with a reply. */
  received(user: string): readonly (string | Uint8Array)[];
  /** Closes a user's connections. */
  close(user: string, code: number, reason: string): Promise<void>;
  /** Whether the user has a session, be it with a connection or not. */
  hasSession(user: string): Promise<boolean>;
}

/** The path and query with which a user connects. */
export function pathOf(user: string): string {
  return `/ws?user=${encodeURIComponent(user)}`;
}
