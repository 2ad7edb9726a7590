import { HeadWatch } from './head-watch.js';
import { countSlowHeads } from './slow-heads.js';
import type { HttpRequest, HttpResponse, TemplatedApp } from './uws.js';

/** How a port waits for the heads of requests. */
export interface Heads {
  /** To be called once for each server of the port, before it listens. */
  follow(app: TemplatedApp): void;
  /**
   * To be called by every handler of requests, which does nothing else: `go` answers the request or upgrades it, in this turn
   * or in a later one. The request that it gets is to be read before it returns.
   */
  came(response: HttpResponse, request: HttpRequest, go: (request: HttpRequest) => void): void;
  close(): void;
}

/** From here on the time is left to uWebSockets.js, which has 8 to 12 s. */
const longestWatchedMs = 8000;

/** @param tooLate a connection has ended that brought no whole head in time. */
export function openHeads(timeoutMs: number, tooLate: () => void): Heads {
  if (timeoutMs < longestWatchedMs) return new HeadWatch(timeoutMs, tooLate);
  return {
    follow: (app) => countSlowHeads(app, tooLate),
    came: (_response, request, go) => go(request),
    close: () => {},
  };
}
