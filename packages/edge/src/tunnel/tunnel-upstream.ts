import type { IncomingHttpHeaders, IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { RingState } from '@pinwheel/membership';
import type { Metrics } from '@pinwheel/metrics';
import type { MigrationChange } from '@pinwheel/migration';
import { closeCodes } from '@pinwheel/protocol';
import type { Place } from '@pinwheel/server';
import { Signer } from '@pinwheel/trust';
import { endWithToken } from '../admission/end-with-token.js';
import { followTokens } from '../admission/follow-tokens.js';
import { TokenLives } from '../admission/token-lives.js';
import { BackendFaults } from '../backend/backend-faults.js';
import { backendHeaders, requestHop, upgradeHop } from '../backend/backend-headers.js';
import { type BackendProxy, createBackendProxy } from '../backend/backend-proxy.js';
import { backendSide } from '../backend/backend-tls.js';
import { createRouter, type Router, type Target } from '../backend/router.js';
import { answerUpgrade } from '../http/answer.js';
import { listen } from '../http/listen.js';
import { pathMatcher } from '../http/request-path.js';
import { arrive } from '../limits/arrive.js';
import { answerClientErrors } from '../limits/client-errors.js';
import { headLimits } from '../limits/head-limits.js';
import type { RetryReason, UpgradeOutcome } from '../metrics/edge-counters.js';
import { tunnelMetrics } from '../metrics/edge-metrics.js';
import {
  type AdmittedUpgrade,
  admitUpgrade,
  drainingRefusal,
  type Gate,
  type Welcome,
} from '../requests/admit-request.js';
import { keepForProxies } from '../requests/keep-for-proxies.js';
import { PlainRequests } from '../requests/plain-requests.js';
import { RequestPlaces } from '../requests/request-places.js';
import { Unanswered } from '../requests/unanswered.js';
import type { EdgeMigrationStatus, Upstream, UpstreamStatus } from '../upstream.js';
import { ClientSockets } from './client-sockets.js';
import { drainTunnels } from './drain-tunnels.js';
import { Handshake } from './handshake.js';
import { measureTunnels } from './measure-tunnels.js';
import { createTunnelServer } from './tunnel-server.js';
import { TunnelTable } from './tunnel-table.js';
import type { TunnelUpstreamOptions } from './tunnel-upstream-options.js';

type State =
  | { readonly kind: 'open' }
  | { readonly kind: 'draining'; readonly drained: Promise<void> }
  | { readonly kind: 'closed' };

const keepAliveMs = 30_000;

/** Any WebSocket or HTTP server as a backend, one backend connection per client, through node-http-proxy. */
export class TunnelUpstream implements Upstream {
  readonly #options: TunnelUpstreamOptions;
  readonly #server: Server;
  readonly #proxy: BackendProxy;
  readonly #router: Router;
  readonly #faults: BackendFaults;
  readonly #table: TunnelTable;
  readonly #gate: Gate;
  readonly #sockets: ClientSockets;
  readonly #unanswered: Unanswered;
  readonly #signer: Signer | undefined;
  readonly #tokens = new TokenLives(Date.now());
  readonly #stopTokens: () => void;
  #observeUpgradeSeconds: (seconds: number) => void = () => {};
  #state: State = { kind: 'open' };

  constructor(options: TunnelUpstreamOptions) {
    const { tracker, counters, limits, places } = options;
    this.#options = options;
    this.#signer = options.keys === undefined ? undefined : new Signer(options.keys);
    this.#proxy = createBackendProxy(options.requestTimeoutMs, backendSide(options.backendCa));
    this.#faults = new BackendFaults(options.log);
    this.#router = createRouter(tracker, this.#faults);
    this.#table = new TunnelTable(tracker.current, options, counters);
    const requestPlaces = new RequestPlaces(places, limits.trustedProxies, options.requestTimeoutMs);
    this.#gate = {
      admissions: options.admissions,
      router: this.#router,
      takesUpgrades: pathMatcher(options.path),
      isOpen: () => this.#state.kind === 'open',
      arrive: (request) => arrive(request, places, limits.trustedProxies),
      arriveForAnswer: (request, response) => requestPlaces.arrive(request, response),
    };
    this.#stopTokens = followTokens(this.#tokens);
    this.#server = createTunnelServer(options.tls, headLimits(limits));
    answerClientErrors(this.#server, counters.limits);
    this.#sockets = new ClientSockets(this.#server, options.sockets);
    this.#unanswered = new Unanswered(this.#server);
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket as Socket, head));
    const requests = new PlainRequests({
      gate: this.#gate,
      router: this.#router,
      proxy: this.#proxy,
      faults: this.#faults,
      counters,
      tokens: this.#tokens,
      requestTimeoutMs: options.requestTimeoutMs,
      refreshWaitMs: options.handshakeTimeoutMs / 4,
      headersFor: (request, user) =>
        this.#headersFor(request, request.socket, user, requestHop(request), undefined),
    });
    keepForProxies(this.#server, limits.trustedProxies);
    this.#server.on('request', (request, response) => requests.take(request, response));
  }

  listen(): Promise<number> {
    return listen(this.#server, this.#options.host, this.#options.port);
  }

  ringChanged(current: RingState): void {
    if (this.#state.kind === 'open') this.#table.ringChanged(current);
  }

  get status(): UpstreamStatus {
    const { size, foreign } = this.#table;
    return {
      connections: this.#sockets.open.size,
      tunnelsToNodes: size - foreign,
      tunnelsToForeign: foreign,
      linksUp: 0,
      linksOpening: 0,
      sessionsAttached: 0,
      sessionsWaiting: 0,
      sessionsPaused: 0,
    };
  }

  measure(metrics: Metrics): void {
    const { counters } = this.#options;
    measureTunnels(metrics, counters, this.#table);
    this.#observeUpgradeSeconds = metrics.addHistogram(tunnelMetrics.upgradeSeconds);
  }

  get migration(): EdgeMigrationStatus {
    return this.#table.migration;
  }

  migrate(change: MigrationChange): void {
    this.#table.migrate(change);
  }

  drain(): Promise<void> {
    if (this.#state.kind === 'open') this.#state = { kind: 'draining', drained: this.#drain() };
    return this.#state.kind === 'draining' ? this.#state.drained : Promise.resolve();
  }

  async #drain(): Promise<void> {
    this.#table.stopMoves();
    this.#server.close();
    await drainTunnels({
      tunnels: this.#table.tunnels,
      sockets: this.#sockets.open,
      windowMs: this.#options.drainMs,
      closeIdle: () => this.#server.closeIdleConnections(),
    });
    await this.close();
  }

  async close(): Promise<void> {
    this.#state = { kind: 'closed' };
    this.#stopTokens();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#table.destroy();
    const gone = this.#sockets.destroy();
    this.#proxy.close();
    await Promise.all([closed, gone]);
  }

  #upgrade(request: IncomingMessage, client: Socket, head: Buffer): void {
    const startedAt = performance.now();
    if (this.#unanswered.cutOff(client)) {
      this.#options.counters.upgrades['bad-request']++;
      return;
    }
    const admitted = admitUpgrade(request, this.#gate);
    if (!(admitted instanceof Promise)) {
      this.#admitted(admitted, request, client, head, startedAt);
      return;
    }
    void admitted.then((decided) => {
      // its end may have been seen already, and is not told twice
      if (!client.destroyed && !client.readableEnded) {
        this.#admitted(decided, request, client, head, startedAt);
        return;
      }
      client.destroy();
      this.#options.counters.upgrades['client-left']++;
    });
  }

  #admitted(
    admitted: AdmittedUpgrade,
    request: IncomingMessage,
    client: Socket,
    head: Buffer,
    startedAt: number,
  ): void {
    const { counters, handshakeTimeoutMs, closeTimeoutMs } = this.#options;
    if ('refused' in admitted) {
      counters.upgrades[admitted.outcome]++;
      answerUpgrade(client, admitted.refused, closeTimeoutMs);
      return;
    }
    const { user } = admitted;
    const headersFor = this.#headersFor(request, client, user, upgradeHop, this.#signer);
    new Handshake(
      {
        request,
        client,
        user,
        router: this.#router,
        proxy: this.#proxy,
        faults: this.#faults,
        handshakeTimeoutMs,
        closeTimeoutMs,
        headersFor,
        opened: (target, backend, answer) => this.#opened(admitted, client, head, target, backend, answer),
        retried: (reason) => this.#retried(reason),
        ended: (outcome) => {
          counters.upgrades[outcome]++;
          this.#observeUpgradeSeconds((performance.now() - startedAt) / 1000);
        },
      },
      admitted.target,
    );
  }

  #opened(
    { user, expiresAt, place }: Welcome & { readonly place: Place },
    client: Socket,
    early: Buffer,
    target: Target,
    backend: Socket,
    answer: string,
  ): UpgradeOutcome {
    const { closeTimeoutMs, stalledMs, tracker } = this.#options;
    if (this.#state.kind !== 'open') {
      backend.on('error', () => {});
      backend.destroy();
      answerUpgrade(client, drainingRefusal, closeTimeoutMs);
      return 'draining';
    }
    client.setTimeout(0);
    client.setNoDelay(true);
    // a machine that vanished says nothing: asked every half minute, the other side learns of it within one or two
    for (const socket of [client, backend]) socket.setKeepAlive(true, keepAliveMs);
    // as Node.js has read it
    client.write(answer, 'latin1');
    const { member } = target;
    const hash = tracker.current.ring.hashOf(user);
    const options = { user, hash, member, client, backend, closeTimeoutMs, stalledMs, place };
    const tunnel = this.#table.open(options, early);
    if (expiresAt === undefined) return 'tunnelled';
    const { code, reason } = closeCodes.tokenExpired;
    endWithToken(this.#tokens, client, expiresAt, () => tunnel.close(code, reason, 'token-expired'));
    return 'tunnelled';
  }

  #retried(reason: RetryReason): void {
    this.#options.counters.retries[reason]++;
  }

  #headersFor(
    request: IncomingMessage,
    client: Socket,
    user: string,
    more: IncomingHttpHeaders,
    signer: Signer | undefined,
  ): (target: Target) => IncomingHttpHeaders {
    const { id: edge, admission } = this.#options;
    const { remoteAddress } = client;
    return backendHeaders(request, { user, edge, remoteAddress }, more, admission.auth, signer);
  }
}
