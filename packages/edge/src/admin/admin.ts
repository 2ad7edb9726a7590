import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type RingTracker, ringAnswer } from '@pinwheel/membership';
import type { Metrics } from '@pinwheel/metrics';
import type { MigrationChange } from '@pinwheel/migration';
import { PinwheelError } from '@pinwheel/protocol';
import { pacePerSecond } from '../edge-options.js';
import { listen } from '../http/listen.js';
import { parseJson, readBody } from '../http/read-body.js';
import { splitTarget } from '../http/request-path.js';
import type { Upstream } from '../upstream.js';
import type { AdminAccess } from './admin-access.js';

export interface AdminOptions {
  /** Id of this edge. */
  readonly id: string;
  readonly access: AdminAccess;
  readonly tracker: RingTracker;
  readonly upstream: Upstream;
  readonly metrics: Metrics;
  /** Why the edge should get no new clients; `undefined` when it should. */
  readonly notReady: () => string | undefined;
  readonly drain: () => Promise<void>;
}

export interface Admin {
  readonly port: number;
  /** Resolves when the port is free. May be called twice. */
  close(): Promise<void>;
}

type Answer =
  | { readonly status: number; readonly body: unknown }
  | { readonly text: string; readonly type: string };
type Route = (body: Buffer) => Answer | Promise<Answer>;
type Routes = ReadonlyMap<string, ReadonlyMap<string, Route>>;

/** Whoever watches a process need not be of the service. */
const openPaths: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics']);

/** Serves operators: health, metrics, the ring, the moves. */
export async function startAdmin(options: AdminOptions, host: string, port: number): Promise<Admin> {
  const routes = adminRoutes(options);
  const server = createServer((request, response) => {
    void answer(routes, options.access, request, response);
  });
  const bound = await listen(server, host, port);
  return { port: bound, close: () => closeServer(server) };
}

function adminRoutes(options: AdminOptions): Routes {
  const { id, tracker, upstream, metrics, notReady, drain } = options;
  const ok = (body: unknown): Answer => ({ status: 200, body });
  return new Map([
    ['/healthz', new Map<string, Route>([['GET', () => ok({ status: 'ok', id })]])],
    [
      '/readyz',
      new Map<string, Route>([
        [
          'GET',
          () => {
            const reason = notReady();
            return reason === undefined
              ? ok({ status: 'ready' })
              : { status: 503, body: { status: 'not-ready', reason } };
          },
        ],
      ]),
    ],
    [
      '/metrics',
      new Map<string, Route>([
        ['GET', async () => ({ text: await metrics.text(), type: metrics.contentType })],
      ]),
    ],
    ['/v1/ring', new Map<string, Route>([['GET', () => ok(ringAnswer(tracker.current))]])],
    ['/v1/ring/accept', new Map<string, Route>([['POST', () => ok(ringAnswer(tracker.accept()))]])],
    [
      '/v1/migrations',
      new Map<string, Route>([
        ['GET', () => ok(upstream.migration)],
        [
          'POST',
          (body) => {
            upstream.migrate(migrationChange(parseJson(body)));
            return ok(upstream.migration);
          },
        ],
      ]),
    ],
    [
      '/v1/drain',
      new Map<string, Route>([
        [
          'POST',
          () => {
            void drain();
            return { status: 202, body: { status: 'draining', connections: upstream.status.connections } };
          },
        ],
      ]),
    ],
  ]);
}

async function answer(
  routes: Routes,
  access: AdminAccess,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const { path } = splitTarget(request.url ?? '');
    const checkBody = openPaths.has(path) ? undefined : access.admit(request);
    const methods = routes.get(path);
    if (methods === undefined)
      throw new PinwheelError('not-found', 'there is no such path on the admin port');
    // some probes ask no more than whether it is 200; Node.js leaves the body away
    const isProbe = request.method === 'HEAD' && openPaths.has(path);
    const route = methods.get(isProbe ? 'GET' : (request.method ?? ''));
    if (route === undefined) {
      response.setHeader('allow', [...methods.keys()].join(', '));
      throw new PinwheelError(
        'method-not-allowed',
        `method is ${request.method}; it must be ${[...methods.keys()].join(' or ')}`,
      );
    }
    const body = await readBody(request);
    checkBody?.(body);
    write(response, await route(body));
  } catch (thrown) {
    const error = PinwheelError.from(thrown);
    if (!request.complete) response.setHeader('connection', 'close');
    write(response, { status: error.httpStatus, body: error.toJSON() });
  }
}

function write(response: ServerResponse, answered: Answer): void {
  if ('text' in answered) {
    response.writeHead(200, { 'content-type': answered.type });
    response.end(answered.text);
    return;
  }
  response.writeHead(answered.status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(answered.body));
}

function migrationChange(body: unknown): MigrationChange {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new PinwheelError('bad-request', 'the body must be a JSON object with paused or usersPerSecond');
  }
  let change: MigrationChange = {};
  for (const [name, value] of Object.entries(body)) {
    if (name === 'paused' && typeof value === 'boolean') change = { ...change, paused: value };
    else if (name === 'paused')
      throw new PinwheelError('bad-request', `paused is ${JSON.stringify(value)}; it must be true or false`);
    else if (name === 'usersPerSecond') change = { ...change, usersPerSecond: pacePerSecond(name, value) };
    else
      throw new PinwheelError(
        'bad-request',
        `${JSON.stringify(name)} is not known; only paused and usersPerSecond are`,
      );
  }
  return change;
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
