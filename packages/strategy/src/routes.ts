/**
 * Which nodes have a user, kept by a registry. A route has a lease: what is not renewed is gone after it, so that a node
 * that crashed leaves nothing behind.
 */
export interface Routes {
  /** For logs and errors, without secrets. */
  readonly description: string;
  /**
   * Says of users that they are, or are not any more, at the node that `where` names. Saying it twice changes nothing.
   *
   * @throws PinwheelError (rejects) `unreachable`, `unavailable`, `deadline` or `unknown-outcome`; some of it may hold.
   */
  write(where: string, users: RouteChanges, leaseMs: number, deadlineMs: number): Promise<void>;
  /**
   * Where each user is: none, one or several names, without an order.
   *
   * @throws PinwheelError (rejects) as `write`.
   */
  read(users: readonly string[], deadlineMs: number): Promise<readonly (readonly string[])[]>;
  /** Ends its connection. May be called twice. */
  close(): Promise<void>;
}

export interface RouteChanges {
  readonly here: readonly string[];
  readonly gone: readonly string[];
}
