import type { RingTracker } from '@pinwheel/membership';
import type { Metrics } from '@pinwheel/metrics';
import { describeRingSettings, ringSettingsDigest } from '@pinwheel/ring';
import type { Exchange } from './exchange.js';
import { isLeaving, type Phase } from './phase.js';

export interface HealthApiOptions {
  readonly id: string;
  readonly incarnation: string;
  readonly tracker: RingTracker;
  readonly metrics: Metrics;
  readonly phase: () => Phase;
  /** Why this node hears nothing by its queue; `undefined` when it does, or has none. */
  readonly whyDeaf: () => string | undefined;
  /** Whether there is too little memory for new clients. */
  readonly isMemoryOver: () => boolean;
  /** `undefined` when operators have no port of their own. */
  readonly adminPort: () => number | undefined;
}

/** `GET /healthz`, `/readyz` and `/metrics`. */
export class HealthApi {
  readonly #options: HealthApiOptions;

  constructor(options: HealthApiOptions) {
    this.#options = options;
  }

  /** Live as long as it answers, draining too: never 429, which Consul takes for a warning and a reason to leave. */
  live(exchange: Exchange): void {
    const { id, incarnation, tracker, phase, adminPort } = this.#options;
    const draining = isLeaving(phase());
    exchange.json(200, {
      status: leavingAs(phase()) ?? 'ok',
      id,
      incarnation,
      draining,
      adminPort: adminPort(),
      settings: {
        digest: ringSettingsDigest(tracker.settings),
        text: describeRingSettings(tracker.settings),
      },
    });
  }

  /** Ready while users may be sent here: in the ring, listening to the queue if there is one, with room in memory, and not draining. */
  ready(exchange: Exchange): void {
    const { id, tracker, phase, whyDeaf, isMemoryOver } = this.#options;
    const inRing = tracker.current.ring.members.some((member) => member.id === id);
    const able = isMemoryOver() ? 'memory is at its bound' : 'ready';
    const place = inRing ? (whyDeaf() ?? able) : 'waiting to be in the ring';
    const status = leavingAs(phase()) ?? place;
    exchange.json(status === 'ready' ? 200 : 503, { status });
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
