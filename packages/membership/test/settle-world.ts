import type { Member } from '../src/member/contract.js';
import type { ProbeRequest } from '../src/settle/probe-request.js';
import { Settle } from '../src/settle/settle.js';
import { defaultSettleOptions, type SettleOptions } from '../src/settle/settle-options.js';
import type { ProbeOutcome } from '../src/settle/standing.js';

export function member(id: string, fields: Partial<Member> = {}): Member {
  return {
    id,
    address: '127.0.0.1',
    port: 7001,
    weight: 1,
    draining: false,
    kind: 'node',
    incarnation: `${id}-first`,
    ...fields,
  };
}

export const members = (...ids: readonly string[]): readonly Member[] => ids.map((id) => member(id));

/** Drives a Settle through time without a timer: probes find what `truth` says when they begin, after `probeMs`. */
export class SettleWorld {
  now = 0;
  ticks = 0;
  probeMs = 2;
  /** Whether the source can be read. */
  isRead = true;
  /** Not named: alive. */
  readonly truth = new Map<string, ProbeOutcome>();
  readonly settle: Settle;
  readonly probed: { readonly id: string; readonly at: number; readonly outcome: ProbeOutcome }[] = [];
  #probes: { readonly request: ProbeRequest; readonly outcome: ProbeOutcome; readonly at: number }[] = [];

  /** @param random by default every pause is as long as it is said to be. */
  constructor(
    options: Partial<SettleOptions> = {},
    eligible?: (member: Member) => boolean,
    random: () => number = () => 0.5,
  ) {
    this.settle = new Settle({ ...defaultSettleOptions, ...options }, eligible, random);
  }

  get ring(): string {
    return this.settle.counted
      .map(({ id }) => id)
      .sort()
      .join(' ');
  }

  view(list: readonly Member[]): void {
    this.settle.view(list, this.now);
    this.#ask();
  }

  dead(...ids: readonly string[]): void {
    for (const id of ids) this.truth.set(id, 'unreachable');
  }

  accept(): void {
    this.settle.accept(this.now);
    this.#ask();
  }

  /** Lets everything happen that is due within this time, in order. */
  run(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const probe = this.#probes[0];
      const dueAt = Math.min(
        probe?.at ?? Number.POSITIVE_INFINITY,
        this.settle.dueAt ?? Number.POSITIVE_INFINITY,
      );
      if (dueAt > end) break;
      // a driver's timer takes at least a millisecond
      this.now = Math.max(dueAt, probe?.at === dueAt ? this.now : this.now + 1);
      if (this.now > end) break;
      this.ticks++;
      if (probe !== undefined && probe.at <= this.now) {
        this.#probes.shift();
        const { request, outcome } = probe;
        this.probed.push({ id: request.member.id, at: this.now, outcome });
        this.settle.probed(request, outcome, this.now);
      } else {
        this.settle.tick(this.now);
      }
      this.#ask();
    }
    this.now = end;
  }

  #ask(): void {
    if (this.isRead && this.settle.takeRead(this.now)) this.settle.read(this.now);
    for (const request of this.settle.takeProbes(this.now)) {
      const outcome = this.truth.get(request.member.id) ?? 'alive';
      // silence is only known at the deadline of the last try
      this.#probes.push({
        request,
        outcome,
        at: this.now + (outcome === 'unreachable' ? this.probeMs * 5 : this.probeMs),
      });
    }
    this.#probes.sort((a, b) => a.at - b.at);
  }
}
