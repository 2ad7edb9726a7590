import type { ApiScope } from '@pinwheel/trust';
import type { Exchange } from '../http/exchange.js';
import type { AcknowledgementsApi } from './acknowledgements-api.js';
import type { AdminApi } from './admin-api.js';
import type { BroadcastApi } from './broadcast-api.js';
import type { HealthApi } from './health-api.js';
import { peerPaths } from './http-peers.js';
import type { MessagesApi } from './messages-api.js';
import type { PeersApi } from './peers-api.js';
import type { UsersApi } from './users-api.js';

export interface ApiParts {
  readonly messages: MessagesApi;
  readonly users: UsersApi;
  readonly acknowledgements: AcknowledgementsApi;
  readonly broadcast: BroadcastApi;
  readonly admin: AdminApi;
  readonly peers: PeersApi;
  readonly health: HealthApi;
  /** Throws when this node may not speak for its users, not yet or not any more. */
  readonly checkPlace: () => void;
}

/** `parameter` stands as it is in the URL. */
export type Handle = (exchange: Exchange, parameter: string) => void | Promise<void>;

/**
 * What a caller without a proof needs for a route. `nothing`: whoever watches a process need not be of the service.
 * `proof`: nodes only. `anything`: a key, whatever it may do.
 */
export type Need = ApiScope | 'nothing' | 'proof' | 'anything';

export interface Route {
  readonly need: Need;
  readonly methods: Readonly<Partial<Record<'GET' | 'POST' | 'DELETE', Handle>>>;
}

/** Every request that a node answers. */
export function apiRoutes({
  messages,
  users,
  acknowledgements,
  broadcast,
  admin,
  peers,
  health,
  checkPlace,
}: ApiParts): Readonly<Record<string, Route>> {
  const inPlace =
    (handle: Handle): Handle =>
    (exchange, parameter) => {
      checkPlace();
      return handle(exchange, parameter);
    };
  return {
    '/v1/users/:user/messages': {
      need: 'send',
      methods: { POST: inPlace((exchange, user) => messages.single(exchange, user)) },
    },
    '/v1/messages': {
      need: 'send',
      methods: { POST: inPlace((exchange) => messages.batch(exchange)) },
    },
    '/v1/users/:user/acknowledgements': {
      need: 'send',
      methods: { GET: inPlace((exchange, user) => acknowledgements.acknowledgement(exchange, user)) },
    },
    '/v1/broadcast': {
      need: 'broadcast',
      methods: { POST: inPlace((exchange) => broadcast.broadcast(exchange)) },
    },
    '/v1/users/:user': {
      need: 'presence',
      methods: { GET: inPlace((exchange, user) => users.presence(exchange, user)) },
    },
    '/v1/users/:user/sessions': {
      need: 'disconnect',
      methods: { DELETE: inPlace((exchange, user) => users.disconnect(exchange, user)) },
    },
    '/v1/ring': { need: 'admin', methods: { GET: (exchange) => admin.ring(exchange) } },
    '/v1/ring/plan': { need: 'admin', methods: { GET: (exchange) => admin.plan(exchange) } },
    '/v1/ring/accept': { need: 'admin', methods: { POST: (exchange) => admin.accept(exchange) } },
    '/v1/migrations': {
      need: 'admin',
      methods: {
        GET: (exchange) => admin.migrations(exchange),
        POST: (exchange) => admin.changeMigrations(exchange),
      },
    },
    '/v1/drain': { need: 'admin', methods: { POST: (exchange) => admin.drain(exchange) } },
    [peerPaths.claim]: { need: 'proof', methods: { POST: inPlace((exchange) => peers.claims(exchange)) } },
    [peerPaths.prepare]: {
      need: 'proof',
      methods: { POST: inPlace((exchange) => peers.handoffs(exchange)) },
    },
    [peerPaths.commit]: { need: 'proof', methods: { POST: inPlace((exchange) => peers.commits(exchange)) } },
    '/healthz': { need: 'nothing', methods: { GET: (exchange) => health.live(exchange) } },
    '/readyz': { need: 'nothing', methods: { GET: (exchange) => health.ready(exchange) } },
    '/metrics': { need: 'nothing', methods: { GET: (exchange) => health.metrics(exchange) } },
  };
}
