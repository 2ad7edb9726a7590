import type { RingTracker } from '@pinwheel/membership';
import type { Metrics } from '@pinwheel/metrics';
import { queryText } from '@pinwheel/protocol';
import { describeRingSettings, ringSettingsDigest } from '@pinwheel/ring';
import { isMemberNonce, type KeySource, proveMember } from '@pinwheel/trust';
import type { Exchange } from '../http/exchange.js';
import type { NodePorts } from '../lifecycle/node-ports.js';
import { isLeaving, type Phase } from '../lifecycle/phase.js';

export interface HealthApiOptions {
  readonly id: string;
  readonly incarnation: string;
  readonly tracker: RingTracker;
  readonly metrics: Metrics;
  readonly phase: () => Phase;
  /** Why this node hears nothing by its queue; `undefined` when it does, or has none. */
  readonly whyDeaf: () => string | undefined;
  /** Why there is no room for new clients; `undefined` when there is. */
  readonly whyFull: () => string | undefined;
  readonly keys: KeySource | undefined;
  /** Where it is registered. */
  readonly host: string;
  readonly ports: () => NodePorts;
}

/** `GET /healthz`, `/readyz` and `/metrics`. */
export class HealthApi {
  readonly #options: HealthApiOptions;
  /** Every member and every edge asks for them, some four times a second. */
  readonly #settings: { readonly digest: string; readonly text: string };

  #wasReady = false;

  constructor(options: HealthApiOptions) {
    this.#options = options;
    const { settings } = options.tracker;
    this.#settings = { digest: ringSettingsDigest(settings), text: describeRingSettings(settings) };
  }

  /** Live as long as it answers, draining too: never 429, which Consul takes for a warning and a reason to leave. */
  live(exchange: Exchange): void {
    const { id, incarnation, phase, ports } = this.#options;
    const draining = isLeaving(phase());
    const { wsPort, adminPort } = ports();
    exchange.json(200, {
      status: leavingAs(phase()) ?? 'ok',
      id,
      incarnation,
      draining,
      wsPort,
      adminPort,
      proof: this.#proof(queryText(exchange.query, 'nonce')),
      settings: this.#settings,
    });
  }

  /** That this node has a key of the service, for whoever asks. */
  #proof(nonce: string | undefined): string | undefined {
    const { id, incarnation, keys, host, ports } = this.#options;
    if (keys === undefined || nonce === undefined || !isMemberNonce(nonce)) return undefined;
    const { port, wsPort } = ports();
    return proveMember(keys, { id, incarnation, address: host, port, wsPort }, nonce);
  }

  /**
   * Ready while users may be sent here: entered, in a ring with the others, listening to the queue if there is one, with room
   * for clients, and not draining.
   */
  ready(exchange: Exchange): void {
    const { id, tracker, phase, whyDeaf, whyFull } = this.#options;
    const inRing = tracker.current.ring.members.some((member) => member.id === id);
    const place = inRing
      ? (whyDeaf() ?? this.#whyAlone() ?? whyFull() ?? 'ready')
      : 'waiting to be in the ring';
    // an entry of the process before may be in the ring
    const entered = phase() === 'starting' ? 'waiting to be in the membership' : place;
    const status = leavingAs(phase()) ?? entered;
    this.#wasReady ||= status === 'ready';
    exchange.json(status === 'ready' ? 200 : 503, { status });
  }

  /**
   * A node with the keys of nobody else would have a ring of its own, and whoever restarts one after the other would go on. One
   * that was ready is not to blame for who is listed since.
   */
  #whyAlone(): string | undefined {
    const { tracker } = this.#options;
    if (this.#wasReady || tracker.current.ring.members.length > 1) return undefined;
    const [first] = tracker.status().ignored;
    if (first === undefined) return undefined;
    return `alone in the ring: everybody else who is listed is ignored, such as ${first.id}: ${first.reason}`;
  }

  async metrics(exchange: Exchange): Promise<void> {
    const { metrics } = this.#options;
    exchange.send(200, metrics.contentType, await metrics.text());
  }
}

function leavingAs(phase: Phase): 'draining' | 'replaced' | undefined {
  if (!isLeaving(phase)) return undefined;
  return phase === 'replaced' ? 'replaced' : 'draining';
}
