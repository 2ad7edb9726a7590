import { Buffer } from 'node:buffer';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import httpProxy from 'http-proxy';
import { acceptOf } from '../http/upgrade-request.js';
import type { BackendSide } from './backend-tls.js';
import { ClientStandIn, type DialResult } from './client-stand-in.js';
import { Exchange, type ExchangeResult } from './exchange.js';
import type { Target } from './router.js';

/** A call that can be given up. */
export interface Dial {
  abort(): void;
}

/**
 * node-http-proxy with its guards: the only place that knows it. Left to itself it ends the process on a client's reset
 * before the 101, leaves clients without an answer, and leaks backend sockets when a client gives up.
 */
export interface BackendProxy {
  /**
   * Sends an upgrade to a backend. `done` is called once, unless the dial is aborted; never from inside this call.
   *
   * @param headers what the backend gets; the request's own are replaced by them.
   */
  dial(
    request: IncomingMessage,
    target: Target,
    headers: IncomingHttpHeaders,
    done: (result: DialResult) => void,
  ): Dial;
  /**
   * Sends a plain request to a backend. `done` is called once, unless the client gives up first; then everything is
   * cleaned up already. A request without a body may be sent again.
   */
  exchange(
    request: IncomingMessage,
    response: ServerResponse,
    target: Target,
    headers: IncomingHttpHeaders,
    done: (result: ExchangeResult) => void,
  ): void;
  /** Closes idle backend connections. */
  close(): void;
}

const nothing = Buffer.alloc(0);

export function createBackendProxy(requestTimeoutMs: number, side: BackendSide): BackendProxy {
  // upgraded sockets leave their agent; one for all saves one for each
  const upgrades = side.agent({ keepAlive: false });
  const requests = side.agent({ keepAlive: true, maxFreeSockets: 64, timeout: requestTimeoutMs });
  const exchanges = new WeakMap<ServerResponse, Exchange>();
  const proxy = httpProxy.createProxyServer({ prependPath: false, toProxy: true });

  // each call has its own callback for errors; this one keeps the library from throwing where it has none
  proxy.on('error', () => {});
  proxy.on('proxyReqWs', (outgoing, _request, client: unknown) => {
    if (client instanceof ClientStandIn) client.begin(outgoing);
  });
  proxy.on('proxyReq', (outgoing, _request, response) => exchanges.get(response)?.begin(outgoing));
  proxy.on('proxyRes', (answer, _request, response) => exchanges.get(response)?.answered(answer));

  return {
    dial(request, target, headers, done) {
      const key = headers['sec-websocket-key'] ?? '';
      const client = new ClientStandIn(request.url ?? '/', acceptOf(key), done);
      request.headers = headers;
      const options = { ...targetOf(target, side), agent: upgrades };
      try {
        proxy.ws(request, client, nothing, options, (error) => client.fail(error));
      } catch (error) {
        queueMicrotask(() => client.fail(error as Error));
      }
      return client;
    },
    exchange(request, response, target, headers, done) {
      const exchange = new Exchange(request.url ?? '/', response, requestTimeoutMs, done);
      exchanges.set(response, exchange);
      request.headers = headers;
      const options = { ...targetOf(target, side), agent: requests, selfHandleResponse: true };
      try {
        proxy.web(request, response, options, (error) => exchange.fail(error));
      } catch (error) {
        queueMicrotask(() => exchange.fail(error as Error));
      }
    },
    close() {
      requests.destroy();
      upgrades.destroy();
    },
  };
}

function targetOf({ member: { address }, port }: Target, { protocol, tlsFor }: BackendSide) {
  const ssl = tlsFor(address);
  const target = { protocol, host: address, hostname: address, port };
  return ssl === undefined ? { target } : { target, ssl };
}
