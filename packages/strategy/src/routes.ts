import type { PinwheelError } from '@pinwheel/protocol';

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
   * @returns who is here and could not be written down, because something else is where the routes belong; nothing is amiss
   * with the others.
   * @throws PinwheelError (rejects) `unreachable`, `unavailable`, `deadline` or `unknown-outcome`; some of it may hold.
   */
  write(where: string, users: RouteChanges, leaseMs: number, deadlineMs: number): Promise<readonly string[]>;
  /**
   * Where each user is: none, one or several routes, without an order; or why that cannot be known, of this one alone.
   *
   * @throws PinwheelError (rejects) as `write`.
   */
  read(users: readonly string[], deadlineMs: number): Promise<readonly (readonly Route[] | PinwheelError)[]>;
  /**
   * Removes routes that lead nowhere, those that have not been written again since they were read.
   *
   * @throws PinwheelError (rejects) as `write`.
   */
  remove(where: string, routes: readonly UserRoute[], deadlineMs: number): Promise<void>;
  /** Ends its connection. May be called twice. */
  close(): Promise<void>;
}

export interface Route {
  readonly where: string;
  /** Another one each time that it is written. */
  readonly lease: string;
}

/** Of a user, to a place that is named beside it. */
export interface UserRoute {
  readonly user: string;
  readonly lease: string;
}

export interface RouteChanges {
  readonly here: readonly string[];
  readonly gone: readonly string[];
}
