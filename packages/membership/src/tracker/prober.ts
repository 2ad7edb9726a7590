import type { ProbeRequest } from '../settle/probe-request.js';
import type { ProbeOutcome } from '../settle/standing.js';
import type { Probe } from './probe.js';

/** Probes at the same time; more wait for their turn, behind witnesses. */
const maxParallel = 32;

/** Runs probes, bounded, and reports each outcome later, never from inside `run`. */
export class Prober {
  readonly #probe: Probe;
  readonly #report: (request: ProbeRequest, outcome: ProbeOutcome) => void;
  readonly #queue: ProbeRequest[] = [];
  #running = 0;
  #closed = false;

  constructor(probe: Probe, report: (request: ProbeRequest, outcome: ProbeOutcome) => void) {
    this.#probe = probe;
    this.#report = report;
  }

  run(requests: readonly ProbeRequest[]): void {
    for (const request of requests) {
      if (request.isWitness) this.#queue.unshift(request);
      else this.#queue.push(request);
    }
    while (this.#running < maxParallel && this.#queue.length > 0) void this.#next(this.#queue.shift()!);
  }

  close(): void {
    this.#closed = true;
    this.#queue.length = 0;
  }

  async #next(request: ProbeRequest): Promise<void> {
    this.#running++;
    let outcome: ProbeOutcome = 'unasked';
    try {
      outcome = await this.#probe(request.member);
    } catch {
      // a probe that breaks has asked nobody
    }
    this.#running--;
    if (this.#closed) return;
    this.#report(request, outcome);
    this.run([]);
  }
}
