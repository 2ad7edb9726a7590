// The only file that imports uWebSockets.js at run time: its builds differ in what they export by name.
import './head-bound.js';

import uWS, { type HttpRequest as WholeHttpRequest } from 'uWebSockets.js';

export type {
  HttpResponse,
  TemplatedApp,
  us_listen_socket,
  us_socket,
  us_socket_context_t,
  WebSocket,
} from 'uWebSockets.js';

/** What a request says. Readable only before the handler first returns, unless it is kept. */
export type HttpRequest = Pick<WholeHttpRequest, 'getUrl' | 'getMethod' | 'getHeader' | 'forEach'> & {
  /** Raw, without `?`. */
  getQuery(): string;
};
/** With what its route has found in its path. */
export type RoutedRequest = HttpRequest & Pick<WholeHttpRequest, 'getParameter'>;

export const App = uWS.App;
export const SSLApp = uWS.SSLApp;
export const closeListenSocket = uWS.us_listen_socket_close;
export const localPort = uWS.us_socket_local_port;
/** Without it a port that somebody else listens on is shared with him in silence. */
export const exclusivePort = 1;
/** Several sockets of one user may listen there; new connections are spread over them. */
export const sharedPort = 0;
export const noCompression = uWS.DISABLED;
