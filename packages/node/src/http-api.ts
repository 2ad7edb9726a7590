import type { Log } from '@pinwheel/membership';
import { PinwheelError } from '@pinwheel/protocol';
import { App, type HttpRequest, type HttpResponse, type TemplatedApp } from '@pinwheel/server';
import type { Verifier } from '@pinwheel/trust';
import type { AcknowledgementsApi } from './acknowledgements-api.js';
import type { AdminApi } from './admin-api.js';
import type { BroadcastApi } from './broadcast-api.js';
import { Exchange } from './exchange.js';
import type { HealthApi } from './health-api.js';
import { peerPaths } from './http-peers.js';
import type { MessagesApi } from './messages-api.js';
import type { NodeCounters } from './node-counters.js';
import type { PeersApi } from './peers-api.js';
import type { UsersApi } from './users-api.js';

export interface HttpApiParts {
  readonly messages: MessagesApi;
  readonly users: UsersApi;
  readonly acknowledgements: AcknowledgementsApi;
  readonly broadcast: BroadcastApi;
  readonly admin: AdminApi;
  readonly peers: PeersApi;
  readonly health: HealthApi;
  /** Without it nobody has to prove anything. */
  readonly verifier: Verifier | undefined;
  readonly self: string;
  /** Throws when this node may not speak for its users any more. */
  readonly checkPlace: () => void;
}

type Handle = (exchange: Exchange, parameter: string) => void | Promise<void>;
type Route = Readonly<Partial<Record<'GET' | 'POST' | 'DELETE', Handle>>>;

/** Whoever watches a process need not be of the service. */
const openPaths: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics']);

/** Every request that a node answers on its internal port. `:user` is handed on as it stands in the URL. */
function routes({
  messages,
  users,
  acknowledgements,
  broadcast,
  admin,
  peers,
  health,
  checkPlace,
}: HttpApiParts): Readonly<Record<string, Route>> {
  const inPlace =
    (handle: Handle): Handle =>
    (exchange, parameter) => {
      checkPlace();
      return handle(exchange, parameter);
    };
  return {
    '/v1/users/:user/messages': { POST: inPlace((exchange, user) => messages.single(exchange, user)) },
    '/v1/messages': { POST: inPlace((exchange) => messages.batch(exchange)) },
    '/v1/broadcast': { POST: inPlace((exchange) => broadcast.broadcast(exchange)) },
    '/v1/users/:user': { GET: inPlace((exchange, user) => users.presence(exchange, user)) },
    '/v1/users/:user/sessions': { DELETE: inPlace((exchange, user) => users.disconnect(exchange, user)) },
    '/v1/users/:user/acknowledgements': {
      GET: inPlace((exchange, user) => acknowledgements.acknowledgement(exchange, user)),
    },
    '/v1/ring': { GET: (exchange) => admin.ring(exchange) },
    '/v1/ring/plan': { GET: (exchange) => admin.plan(exchange) },
    '/v1/ring/accept': { POST: (exchange) => admin.accept(exchange) },
    '/v1/migrations': {
      GET: (exchange) => admin.migrations(exchange),
      POST: (exchange) => admin.changeMigrations(exchange),
    },
    [peerPaths.claim]: { POST: inPlace((exchange) => peers.claims(exchange)) },
    [peerPaths.prepare]: { POST: inPlace((exchange) => peers.handoffs(exchange)) },
    [peerPaths.commit]: { POST: inPlace((exchange) => peers.commits(exchange)) },
    '/v1/drain': { POST: (exchange) => admin.drain(exchange) },
    '/healthz': { GET: (exchange) => health.live(exchange) },
    '/readyz': { GET: (exchange) => health.ready(exchange) },
    '/metrics': { GET: (exchange) => health.metrics(exchange) },
  };
}

/** The HTTP server of a node, not yet listening. */
export function createHttpApi(parts: HttpApiParts, counters: NodeCounters, log: Log): TemplatedApp {
  const app = App();
  const fail = (exchange: Exchange, thrown: unknown): void => {
    const error = PinwheelError.from(thrown);
    counters.refusals[exchange.isGone ? 'gone' : error.httpStatus < 500 ? '4xx' : '5xx']++;
    if (error.code === 'internal')
      log.error({ path: exchange.path, stack: (thrown as Partial<Error> | null)?.stack }, error.message);
    exchange.fail(error);
  };
  // an exception past a handler would end the process
  const { verifier, self } = parts;
  const answer = (response: HttpResponse, request: HttpRequest, handle: Handle, path = ''): void => {
    const exchange = new Exchange(response, request);
    try {
      if (verifier !== undefined && !openPaths.has(path)) exchange.prove(verifier, self, request);
      const running = handle(exchange, request.getParameter(0) ?? '');
      if (running instanceof Promise) running.catch((thrown) => fail(exchange, thrown));
    } catch (thrown) {
      fail(exchange, thrown);
    }
  };
  for (const [path, route] of Object.entries(routes(parts))) {
    const { GET: get, POST: post, DELETE: del } = route;
    if (get !== undefined) app.get(path, (response, request) => answer(response, request, get, path));
    if (post !== undefined) app.post(path, (response, request) => answer(response, request, post, path));
    if (del !== undefined) app.del(path, (response, request) => answer(response, request, del, path));
    app.any(path, (response, request) => answer(response, request, refuseMethod(Object.keys(route)), path));
  }
  app.any('/*', (response, request) =>
    answer(response, request, (exchange) => {
      throw new PinwheelError(
        'not-found',
        `there is no ${exchange.path}; the API is documented in docs/http-api.md`,
      );
    }),
  );
  return app;
}

function refuseMethod(allowed: readonly string[]): Handle {
  return (exchange) => {
    throw new PinwheelError(
      'method-not-allowed',
      `${exchange.path} takes ${allowed.join(' and ')}, not ${exchange.method}`,
    );
  };
}
