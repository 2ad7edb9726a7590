export {
  type ClientReceipt,
  type ErrorCode,
  PinwheelError,
} from '@pinwheel/protocol/client';
export type { SendToOptions } from './client-core.js';
// for simulations, which bring sockets and time of their own
export { ClientCore } from './client-core.js';
export type { ClientOptions, IncomingMessage } from './client-options.js';
export type { ClientStatus } from './client-status.js';
export type { ClientWorld, Clock, SocketEvents, SocketPort } from './client-world.js';
export { type Connection, type ConnectOptions, connect } from './connect.js';
export type { WebSocketConstructor, WebSocketLike } from './web-socket-port.js';
