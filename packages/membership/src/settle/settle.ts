import type { Member } from '../member/contract.js';
import { FlapDamping } from './flap-damping.js';
import { Freeze } from './freeze.js';
import { joinersOf, joinsDueAt } from './joins.js';
import type { ProbeRequest } from './probe-request.js';
import { reprobePauseMs } from './reprobe.js';
import type { SettleOptions } from './settle-options.js';
import { isUnlisted, type Lingering, type Missing, type ProbeOutcome, type Standing } from './standing.js';
import { standingWhenSeen, standingWhenUnseen, unasked } from './standing-change.js';
import { Witnesses } from './witnesses.js';

/** Probes of members that vanished together end together: one change of the ring rather than several. */
const proofBatchMs = 100;
/** So many probes in a row, two seconds apart, find nobody where a member lingered that is gone. */
const mostMisses = 3;

/**
 * Decides which members count in the ring. Growth is cheap, shrink needs proof:
 *
 * - joiners count after a quiet period, together; the first view counts at once;
 * - a member that says that it is draining, or that is not `eligible`, leaves at once;
 * - a member that vanishes is probed: it leaves at once when nothing or somebody else answers there, or when it drains,
 *   and after a grace period when it goes on answering, if the source was read since; while it answers it can still be
 *   reached, as one that drains; so can one that drained and vanishes, until it is silent once;
 * - when too many vanish the ring is frozen: each leaves only if it does not answer while somebody else does; all are asked
 *   when somebody is listed anew, else ever more rarely;
 * - a member that keeps dying waits longer each time before it counts again, unless the ring would be empty.
 *
 * Knows no socket and no clock: whoever drives it passes the time (in ms, never going back), runs the probes that
 * `takeProbes` returns, reads the source when `takeRead` asks for it, and calls `tick` at `dueAt`.
 */
export class Settle {
  readonly #options: SettleOptions;
  readonly #eligible: (member: Member) => boolean;
  readonly #random: () => number;
  readonly #flaps: FlapDamping;
  readonly #standings = new Map<string, Standing>();
  #started = false;
  #firstProofAt: number | undefined;
  #tickets = 0;
  readonly #witnesses: Witnesses;
  readonly #freeze: Freeze;
  /** When the source was read last, and when that was asked for. */
  #readAt = Number.NEGATIVE_INFINITY;
  #readAskedAt = Number.NEGATIVE_INFINITY;

  /** @param random 0–1, to spread what all processes would do at the same moment. */
  constructor(
    options: SettleOptions,
    eligible: (member: Member) => boolean = () => true,
    random: () => number = Math.random,
  ) {
    this.#options = options;
    this.#random = random;
    this.#witnesses = new Witnesses(random);
    this.#freeze = new Freeze(options.freezeAbove);
    this.#eligible = (member) => !member.draining && eligible(member);
    this.#flaps = new FlapDamping({
      windowMs: options.flapWindowMs,
      firstWaitMs: options.flapFirstWaitMs,
      longestWaitMs: options.flapLongestWaitMs,
    });
  }

  /** Who is in the ring, and who can be reached besides (draining, waiting, refused or lingering members). */
  get counted(): readonly Member[] {
    return this.#members((standing) => standing.kind === 'counted' || standing.kind === 'missing');
  }

  get reachable(): readonly Member[] {
    return this.#members(() => true);
  }

  /** Members whose place in the ring is not what the newest view says. */
  get pending(): readonly string[] {
    return this.#members(({ kind }) => kind === 'waiting' || kind === 'missing').map((member) => member.id);
  }

  /** Why the ring does not follow the source; `undefined` when it does. */
  get frozen(): string | undefined {
    return this.#freeze.reason;
  }

  /** When `tick` has something to do; `undefined` when only an event can change anything. */
  get dueAt(): number | undefined {
    const times: number[] = [this.#joinsDueAt()];
    for (const unlisted of this.#unlisted()) {
      if (unlisted.ticket === undefined) times.push(unlisted.nextProbeAt);
      if (unlisted.kind === 'lingering' || this.frozen !== undefined) continue;
      if (this.#readAskedAt < this.#graceEnd(unlisted)) times.push(this.#graceEnd(unlisted));
    }
    if (this.#firstProofAt !== undefined) times.push(this.#firstProofAt + proofBatchMs);
    const first = Math.min(...times);
    return Number.isFinite(first) ? first : undefined;
  }

  /** The source's newest list; ids must be unique. */
  view(members: readonly Member[], now: number): void {
    const listed = new Set<string>();
    let isAnyNew = false;
    for (const member of members) {
      listed.add(member.id);
      this.#freeze.listed(member.id);
      const before = this.#standings.get(member.id);
      isAnyNew ||= before === undefined || isUnlisted(before);
      this.#standings.set(member.id, this.#seen(before, member, now));
    }
    for (const [id, standing] of this.#standings) {
      if (listed.has(id)) continue;
      const next = standingWhenUnseen(standing, this.#flaps, now);
      if (next === undefined) this.#standings.delete(id);
      else this.#standings.set(id, next);
    }
    this.#started = true;
    if (isAnyNew && this.frozen !== undefined) this.#askSoon(now);
    this.tick(now);
  }

  /** The source was read since {@link takeRead} asked for it, and a view that differed was given. */
  read(now: number): void {
    this.#readAt = now;
    this.tick(now);
  }

  /**
   * Whether the source is to be read now: a member that answers has been missing for the whole grace period, and may be
   * listed again since this process has heard of the source. Said once.
   */
  takeRead(now: number): boolean {
    const isDue =
      this.frozen === undefined && this.#missing().some((missing) => this.#isUnread(missing, now));
    if (isDue) this.#readAskedAt = now;
    return isDue;
  }

  /** Does what has become due. */
  tick(now: number): void {
    this.#look(now);
    if (this.#firstProofAt === undefined || this.#proofIsComplete(now)) this.#shrink(now);
    this.#grow(now);
    this.#look(now);
  }

  /** The probes to run now; each is returned once and must be answered with `probed`. */
  takeProbes(now: number): readonly ProbeRequest[] {
    const requests: ProbeRequest[] = [];
    for (const unlisted of this.#unlisted()) {
      if (unlisted.ticket !== undefined || unlisted.nextProbeAt > now) continue;
      const ticket = ++this.#tickets;
      this.#standings.set(unlisted.member.id, { ...unlisted, ticket, probes: unlisted.probes + 1 });
      requests.push({ ticket, member: unlisted.member });
    }
    if (this.frozen === undefined || requests.length === 0) return requests;
    return [...this.#witnessRequests(now), ...requests];
  }

  probed(request: ProbeRequest, outcome: ProbeOutcome, now: number): void {
    if (outcome !== 'unreachable' && outcome !== 'unasked') this.#witnesses.answered(now);
    const unlisted = this.#standings.get(request.member.id);
    if (isUnlisted(unlisted) && unlisted.ticket === request.ticket) {
      const ring = this.frozen === undefined ? 'following' : 'frozen';
      // one that ends as planned is there for some tenths of a second behind its entry
      const probes = unlisted.kind === 'lingering' && unlisted.saidSo ? unlisted.probes - 1 : unlisted.probes;
      const pause = reprobePauseMs(probes, this.#options.reprobeMs, ring, this.#random);
      const again = { ...unlisted, ticket: undefined, nextProbeAt: now + pause };
      const asked = { ...again, found: { outcome, at: now } };
      // nothing is known that was not known before
      if (outcome === 'unasked') this.#standings.set(again.member.id, again);
      else if (asked.kind === 'lingering') this.#lingers(asked, outcome);
      else {
        this.#standings.set(asked.member.id, asked);
        if (outcome !== 'alive') this.#firstProofAt ??= now;
      }
    }
    this.tick(now);
  }

  /** An operator takes the newest view as it is: who is missing leaves, who waits counts. */
  accept(now: number): void {
    for (const [id, standing] of this.#standings) {
      this.#flaps.forgive(id);
      if (standing.kind === 'missing') this.#takeOut(standing);
      if (standing.kind === 'waiting') this.#standings.set(id, { kind: 'counted', member: standing.member });
    }
    this.tick(now);
  }

  #seen(before: Standing | undefined, member: Member, now: number): Standing {
    if (!this.#eligible(member)) return { kind: 'apart', member };
    return this.#started ? standingWhenSeen(before, member, this.#flaps, now) : { kind: 'counted', member };
  }

  #shrink(now: number): void {
    this.#firstProofAt = undefined;
    for (const missing of this.#missing()) {
      if (!this.#isProvenGone(missing, now)) continue;
      this.#takeOut(missing);
      this.#freeze.tookOut(missing.member.id);
      if (missing.found?.outcome !== 'draining') this.#flaps.departed(missing.member.id, now);
    }
  }

  /** A node that still answers holds users, who move as those of one that drains. */
  #takeOut(missing: Missing): void {
    const { member, found } = missing;
    const answers = found?.outcome === 'alive' || found?.outcome === 'draining';
    if (answers && member.kind === 'node') {
      const leaving = { ...member, draining: true };
      this.#standings.set(member.id, {
        ...missing,
        kind: 'lingering',
        member: leaving,
        misses: 0,
        saidSo: false,
      });
    } else this.#standings.delete(member.id);
  }

  /** One that stands still for a moment has its users still. */
  #lingers(lingering: Lingering, outcome: ProbeOutcome): void {
    const misses = outcome === 'unreachable' ? lingering.misses + 1 : 0;
    const isGone = misses >= (lingering.saidSo ? 1 : mostMisses);
    if (outcome === 'replaced' || isGone) this.#standings.delete(lingering.member.id);
    else this.#standings.set(lingering.member.id, { ...lingering, misses });
  }

  #isProvenGone(missing: Missing, now: number): boolean {
    const { found } = missing;
    if (found?.outcome === 'draining' || found?.outcome === 'replaced') return true;
    if (this.frozen !== undefined) {
      return found?.outcome === 'unreachable' && this.#witnesses.confirm(found.at);
    }
    if (found?.outcome === 'unreachable') return true;
    return now >= this.#graceEnd(missing) && this.#readAt >= this.#graceEnd(missing);
  }

  #graceEnd({ vanishedAt }: Missing): number {
    return vanishedAt + this.#options.vanishGraceMs;
  }

  #isUnread(missing: Missing, now: number): boolean {
    const end = this.#graceEnd(missing);
    return now >= end && this.#readAt < end && this.#readAskedAt < end;
  }

  #proofIsComplete(now: number): boolean {
    if (now >= this.#firstProofAt! + proofBatchMs) return true;
    return !this.#missing().some((missing) => missing.ticket !== undefined);
  }

  #grow(now: number): void {
    if (now < this.#joinsDueAt()) return;
    for (const { member, from } of joinersOf([...this.#standings.values()])) {
      if (from <= now) this.#standings.set(member.id, { kind: 'counted', member });
    }
  }

  #joinsDueAt(): number {
    return joinsDueAt(joinersOf([...this.#standings.values()]), this.#options);
  }

  #look(now: number): void {
    const missing = this.#missing();
    let present = 0;
    for (const { kind } of this.#standings.values()) if (kind === 'counted') present++;
    const listed = this.#standings.size - this.#unlisted().length;
    if (!this.#freeze.look(missing.length, present, listed)) return;
    // whoever is kept is looked at as if it had vanished now, when the source is believed again: what was found before may
    // have been this process's own fault
    for (const { kind, member } of missing)
      this.#standings.set(member.id, { kind, member, vanishedAt: now, ...unasked(now) });
  }

  /** Somebody is there who can bear witness: of whoever is gone the ring is rid now, not in half a minute. */
  #askSoon(now: number): void {
    for (const missing of this.#missing()) {
      const rested = (missing.found?.at ?? now) + this.#options.reprobeMs;
      const nextProbeAt = Math.min(missing.nextProbeAt, Math.max(now, rested));
      this.#standings.set(missing.member.id, { ...missing, nextProbeAt });
    }
  }

  #witnessRequests(now: number): readonly ProbeRequest[] {
    const asked = this.#witnesses.toAsk([...this.#standings.values()], now);
    return asked.map((member) => ({ ticket: ++this.#tickets, member, isWitness: true }));
  }

  #missing(): readonly Missing[] {
    return [...this.#standings.values()].filter((standing) => standing.kind === 'missing');
  }

  #unlisted(): readonly (Missing | Lingering)[] {
    return [...this.#standings.values()].filter(isUnlisted);
  }

  #members(included: (standing: Standing) => boolean): readonly Member[] {
    return [...this.#standings.values()].filter(included).map(({ member }) => member);
  }
}
