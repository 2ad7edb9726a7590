import type { Log } from '@pinwheel/membership';
import { PinwheelError } from '@pinwheel/protocol';
import { App, type HttpResponse, type RoutedRequest, type TemplatedApp } from '@pinwheel/server';
import { hasApiKeyIn } from '@pinwheel/trust';
import type { NodeCounters } from '../counters/node-counters.js';
import { Exchange } from '../http/exchange.js';
import type { LinkTurn } from '../link/link-turn.js';
import type { Access, PortKind } from './access.js';
import { type ApiParts, apiRoutes, type Handle, type Need } from './api-routes.js';

export interface HttpApiOptions {
  readonly parts: ApiParts;
  readonly access: Access;
  readonly counters: NodeCounters;
  readonly log: Log;
  readonly linkTurn: LinkTurn;
}

/** An HTTP server of a node, not yet listening: everything on the internal port, what operators ask for on the admin port. */
export function createHttpApi(
  { parts, access, counters, log, linkTurn }: HttpApiOptions,
  port: PortKind,
): TemplatedApp {
  const app = App();
  const failing = (path: string) => (exchange: Exchange, thrown: unknown) => {
    const error = PinwheelError.from(thrown);
    counters.refusals[exchange.isGone ? 'gone' : error.httpStatus < 500 ? '4xx' : '5xx']++;
    if (error.code === 'internal')
      log.error({ path, stack: (thrown as Partial<Error> | null)?.stack }, error.message);
    exchange.fail(error);
  };
  /** What answers requests to a path of the API. An exception past it would end the process. */
  const answering = (path: string, need: Need) => {
    const fail = failing(path);
    const hasParameter = path.includes(':');
    return (response: HttpResponse, request: RoutedRequest, method: string, handle: Handle): void => {
      const exchange = new Exchange(response, request, method, fail, counters.unanswered, linkTurn);
      let isSure = false;
      try {
        exchange.readLength();
        isSure = true;
        access.admit(exchange, request, need, port);
        const running = handle(exchange, hasParameter ? (request.getParameter(0) ?? '') : '');
        if (running instanceof Promise) running.catch((thrown) => fail(exchange, thrown));
      } catch (thrown) {
        // a request behind one that is not answered yet is not obeyed: uWebSockets.js ends the connection
        if (isSure) fail(exchange, thrown);
        else setImmediate(fail, exchange, thrown);
      }
      exchange.returned();
    };
  };
  for (const [path, { need, methods }] of Object.entries(apiRoutes(parts))) {
    if (port === 'admin' && need !== 'admin' && need !== 'nothing') continue;
    const answer = answering(path, need);
    const { GET: get, POST: post, DELETE: del } = methods;
    if (get !== undefined) app.get(path, (response, request) => answer(response, request, 'GET', get));
    // some probes ask no more than whether it is 200
    if (get !== undefined && need === 'nothing')
      app.head(path, (response, request) => answer(response, request, 'HEAD', get));
    if (post !== undefined) app.post(path, (response, request) => answer(response, request, 'POST', post));
    if (del !== undefined) app.del(path, (response, request) => answer(response, request, 'DELETE', del));
    const refuse = refuseMethod(Object.keys(methods));
    app.any(path, (response, request) => answer(response, request, methodOf(request), refuse));
  }
  const answerOther = answering('/*', 'anything');
  app.any('/*', (response, request) => answerOther(response, request, methodOf(request), refusePath));
  return app;
}

function methodOf(request: RoutedRequest): string {
  return request.getMethod().toUpperCase();
}

function refusePath(exchange: Exchange): void {
  throw new PinwheelError(
    'not-found',
    `there is no ${hasApiKeyIn(exchange.path) ? 'such path' : exchange.path} on this port; the API is documented in docs/http-api.md`,
  );
}

function refuseMethod(allowed: readonly string[]): Handle {
  return (exchange) => {
    throw new PinwheelError(
      'method-not-allowed',
      `${exchange.path} takes ${allowed.join(' and ')}, not ${exchange.method}`,
    );
  };
}
