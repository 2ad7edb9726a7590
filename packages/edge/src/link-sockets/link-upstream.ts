import { randomBytes } from 'node:crypto';
import { type Log, type RingTracker, systemClock } from '@pinwheel/membership';
import type { Metrics } from '@pinwheel/metrics';
import type { MigrationChange } from '@pinwheel/migration';
import { PinwheelError } from '@pinwheel/protocol';
import type { ConnectionLimits, OpenSockets } from '@pinwheel/server';
import { type CertificateSource, type KeySource, Signer } from '@pinwheel/trust';
import type { Admissions } from '../admission/admission.js';
import { pathMatcher } from '../http/request-path.js';
import type { ResolvedLimits } from '../limits/limit-options.js';
import { EdgeCore } from '../link/edge-core.js';
import type { EdgeCounters } from '../metrics/edge-counters.js';
import type { EdgeMigrationStatus, Upstream, UpstreamStatus } from '../upstream.js';
import { LinkDialer } from './link-dialer.js';
import { LinkFront, type LinkFrontOptions } from './link-front.js';
import { measureLinks } from './measure-links.js';

/** What the links of an edge are made with; the options of the edge, and what it shares with them. */
export interface LinkUpstreamOptions {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly path: readonly string[];
  readonly tracker: RingTracker;
  readonly attachesPerSecond: number;
  readonly drainMs: number;
  readonly stalledMs: number;
  readonly keepAliveMs: number;
  readonly limits: ResolvedLimits;
  readonly places: ConnectionLimits;
  readonly sockets: OpenSockets;
  readonly maxInboundBytes: number;
  readonly maxUnreadBytes: number;
  readonly idleTimeoutSeconds: number;
  readonly keys: KeySource | undefined;
  readonly tls: CertificateSource | undefined;
  readonly admissions: Admissions;
  readonly counters: EdgeCounters;
  readonly log: Log;
}

type State =
  | { readonly kind: 'open' }
  | { readonly kind: 'draining'; readonly drained: Promise<void> }
  | { readonly kind: 'closed'; readonly closed: Promise<void> };

/** Clients have so long to answer a close frame before the end of a drain cuts them off, in ms. */
const lingerMs = 1000;
const pollMs = 10;

/** Clients' sockets end here; one link to each node carries all sessions of both. */
export class LinkUpstream implements Upstream {
  readonly #options: LinkUpstreamOptions;
  readonly #core: EdgeCore;
  readonly #front: LinkFront;
  readonly #dialer: LinkDialer;
  #state: State = { kind: 'open' };

  constructor(options: LinkUpstreamOptions) {
    const { id, tracker, counters, log, path } = options;
    this.#options = options;
    const { keys } = options;
    this.#dialer = new LinkDialer(keys === undefined ? undefined : new Signer(keys));
    this.#core = new EdgeCore(
      {
        clock: systemClock,
        random: Math.random,
        // a turn of the event loop may bring something from many sockets: what it brings for one leaves together
        soon: setImmediate,
        state: () => tracker.current,
        refreshRing: () => void tracker.refresh(),
        dial: (member, events) => this.#dialer.dial(member, events),
      },
      {
        id,
        incarnation: randomBytes(12).toString('base64url'),
        keepAliveMs: options.keepAliveMs,
        stalledMs: options.stalledMs,
        drainMs: options.drainMs,
        attachesPerSecond: options.attachesPerSecond,
        maxInboundBytes: options.maxInboundBytes,
        log,
      },
    );
    this.#front = new LinkFront({
      core: this.#core,
      admissions: options.admissions,
      takesUpgrades: pathMatcher(path),
      closedBecause: () => this.#closedBecause(),
      places: options.places,
      sockets: options.sockets,
      trustedProxies: options.limits.trustedProxies,
      headTimeoutMs: options.limits.headTimeoutMs,
      maxHeadBytes: options.limits.maxHeadBytes,
      maxInboundBytes: options.maxInboundBytes,
      maxUnreadBytes: options.maxUnreadBytes,
      idleTimeoutSeconds: options.idleTimeoutSeconds,
      tls: options.tls,
      counters,
      log,
    });
  }

  listen(): Promise<number> {
    return this.#front.listen(this.#options.host, this.#options.port);
  }

  ringChanged(): void {
    this.#core.ringChanged();
  }

  get status(): UpstreamStatus {
    const { attached, waiting, paused, linksUp, linksOpening } = this.#core.status;
    return {
      connections: this.#front.connections,
      tunnelsToNodes: 0,
      tunnelsToForeign: 0,
      linksUp,
      linksOpening,
      sessionsAttached: attached,
      sessionsWaiting: waiting,
      sessionsPaused: paused,
    };
  }

  measure(metrics: Metrics): void {
    measureLinks(metrics, this.#core);
  }

  /** The nodes move users; here are the sessions that have lost their node, and the pace at which they are attached. */
  get migration(): EdgeMigrationStatus {
    const { perSecond, size, gone } = this.#core.queue;
    return { paused: false, usersPerSecond: perSecond, waiting: size, moved: gone, foreign: 0 };
  }

  migrate({ paused, usersPerSecond }: MigrationChange): void {
    if (paused === true) {
      throw new PinwheelError(
        'bad-request',
        'paused is true; an edge with links moves nobody, its nodes do: pause them',
      );
    }
    if (usersPerSecond !== undefined) this.#core.queue.setPace(usersPerSecond);
  }

  drain(): Promise<void> {
    if (this.#state.kind === 'open') this.#state = { kind: 'draining', drained: this.#drain() };
    return this.#state.kind === 'draining' ? this.#state.drained : Promise.resolve();
  }

  async #drain(): Promise<void> {
    const deadlineAt = performance.now() + this.#options.drainMs;
    this.#front.stopListening();
    const hadClients = this.#core.size > 0;
    this.#core.drain();
    while (this.#core.size > 0 && performance.now() < deadlineAt) await sleep(pollMs);
    // uWebSockets.js does not tell when a client that was told has closed its side
    if (hadClients) await sleep(Math.max(0, Math.min(lingerMs, deadlineAt - performance.now())));
    await this.close();
  }

  close(): Promise<void> {
    if (this.#state.kind === 'closed') return this.#state.closed;
    const closed = this.#close();
    this.#state = { kind: 'closed', closed };
    return closed;
  }

  async #close(): Promise<void> {
    this.#front.stopListening();
    this.#core.close();
    this.#front.close();
    await this.#dialer.closed();
  }

  #closedBecause(): ReturnType<LinkFrontOptions['closedBecause']> {
    if (this.#state.kind !== 'open') return { outcome: 'draining', why: 'this edge is draining' };
    const { ring } = this.#options.tracker.current;
    return ring.size === 0 ? { outcome: 'unavailable', why: 'the ring has no members' } : undefined;
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
