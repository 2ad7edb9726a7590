export { chooseProtocol } from './choose-protocol.js';
export { ClientLimits } from './client-limits.js';
export { ClientPort } from './client-port.js';
export {
  type ConnectionBounds,
  ConnectionLimits,
  type LimitCounters,
  type LimitName,
  limitNames,
} from './connection-limits.js';
export { type Handshake, readHandshake, type WrongHandshake } from './handshake.js';
export { mostHeadBytes } from './head-bound.js';
export { type Heads, openHeads } from './heads.js';
export { type HttpTarget, httpTarget, isHttpUrl } from './http-target.js';
export { isLoopback, leadsToLoopback } from './is-loopback.js';
export { type Listening, listen } from './listen.js';
export { defaultMaxRssBytes, MemoryWatch } from './memory-watch.js';
export { OpenSockets } from './open-sockets.js';
export { Opening } from './opening.js';
export { Place } from './place.js';
export { readQueryUser } from './query-user.js';
export { type RateBounds, RateLimit } from './rate-limit.js';
export { refuseForeignPage } from './refuse-foreign-page.js';
export { statusLineOf } from './status-line.js';
export {
  App,
  closeListenSocket,
  type HttpRequest,
  type HttpResponse,
  localPort,
  noCompression,
  type RoutedRequest,
  type TemplatedApp,
  type us_socket_context_t,
  type WebSocket,
} from './uws.js';
