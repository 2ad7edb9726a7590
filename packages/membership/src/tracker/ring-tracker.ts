import { PinwheelError } from '@pinwheel/protocol';
import { type RingSettings, ringSettingsDigest } from '@pinwheel/ring';
import type { Member, MembersView } from '../member/contract.js';
import { ringChange } from '../ring/ring-change.js';
import { RingHistory } from '../ring/ring-history.js';
import type { RingState, RingTracker, RingTrackerStatus } from '../ring/ring-state.js';
import { RingStates } from '../ring/ring-states.js';
import { RingSubscribers } from '../ring/ring-subscribers.js';
import { massLoss } from '../settle/freeze.js';
import { Settle } from '../settle/settle.js';
import { type LastGoodMembers, LastGoodRing, type NoLastGood, noneKept } from './last-good-ring.js';
import { Prober } from './prober.js';
import { type RingTrackerOptions, type TrackerSetup, trackerSetup } from './ring-tracker-options.js';
import { describeMismatch, hasOtherSettings, mismatchAmong } from './settings-mismatch.js';
import { notHeard, SourceHealth } from './source-health.js';
import { WarnOnce } from './warn-once.js';

/**
 * Makes a tracker; nothing is read before `start`.
 *
 * @throws PinwheelError `bad-option`.
 */
export function createRingTracker(options: RingTrackerOptions): RingTracker {
  return new SettlingTracker(trackerSetup(options));
}

type Phase =
  | { readonly kind: 'idle' }
  | {
      readonly kind: 'starting';
      readonly resolve: (state: RingState) => void;
      readonly reject: (error: PinwheelError) => void;
      readonly saved: LastGoodMembers | NoLastGood;
      readonly cancelDeadline: () => void;
    }
  /** The ring is the one from disk, saved then; the source was not heard yet. */
  | { readonly kind: 'from-disk'; readonly savedAt: string }
  | { readonly kind: 'following'; readonly view: MembersView }
  | { readonly kind: 'closed' };

class SettlingTracker implements RingTracker {
  readonly settings: RingSettings;
  readonly #setup: TrackerSetup;
  readonly #digest: string;
  readonly #settle: Settle;
  readonly #prober: Prober;
  readonly #states: RingStates;
  readonly #subscribers: RingSubscribers;
  readonly #source: SourceHealth;
  readonly #warnings: WarnOnce;
  readonly #lastGood: LastGoodRing | undefined;
  #phase: Phase = { kind: 'idle' };
  #started: Promise<RingState> | undefined;
  #frozen: string | undefined;
  /** The next time that the source is read counts. */
  #awaitsRead = false;
  #unwatch = (): void => {};
  #cancelTick = (): void => {};

  constructor(setup: TrackerSetup) {
    const { settings, clock, log, lastGoodPath, membership } = setup;
    this.settings = settings;
    this.#setup = setup;
    const digest = ringSettingsDigest(settings);
    this.#digest = digest;
    this.#settle = new Settle(setup.settle, (member) => !hasOtherSettings(member, digest));
    this.#prober = new Prober(setup.probe, (request, outcome) => {
      this.#settle.probed(request, outcome, clock.now());
      this.#advance();
    });
    this.#states = new RingStates(
      settings,
      new RingHistory(setup.transitionWindowMs, setup.maxPreviousRings),
      clock,
      () => this.#advance(),
    );
    this.#subscribers = new RingSubscribers(log);
    this.#source = new SourceHealth(clock, log);
    this.#warnings = new WarnOnce(log);
    this.#lastGood =
      lastGoodPath === undefined ? undefined : new LastGoodRing(lastGoodPath, membership.description, log);
  }

  get current(): RingState {
    return this.#states.current;
  }

  start(): Promise<RingState> {
    this.#started ??= this.#begin();
    return this.#started;
  }

  subscribe(listener: (current: RingState, before: RingState) => void): () => void {
    return this.#subscribers.add(listener);
  }

  async refresh(): Promise<void> {
    if (this.#phase.kind === 'closed') return;
    await this.#setup.membership.refresh().catch(() => {});
  }

  accept(): RingState {
    this.#settle.accept(this.#setup.clock.now());
    this.#advance(false);
    return this.current;
  }

  status(): RingTrackerStatus {
    const phase = this.#phase;
    const ignored = phase.kind === 'following' ? phase.view.ignored : [];
    const refused = this.#refused().map((member) => this.#mismatch(member));
    const sourceError = this.#source.lastError?.message;
    return {
      ...(this.#frozen === undefined ? {} : { frozen: this.#frozen }),
      staleMs: this.#source.staleMs,
      fingerprintAgeMs: this.#states.ringAgeMs,
      sourceErrors: this.#source.errors,
      ...(sourceError === undefined ? {} : { sourceError }),
      ignored: [...ignored, ...refused, ...this.#states.leftOut],
      pending: this.#settle.pending,
    };
  }

  async close(): Promise<void> {
    this.#end(new PinwheelError('closed', 'the ring tracker was closed before its first ring'));
    await this.#lastGood?.flushed();
  }

  async #begin(): Promise<RingState> {
    const saved = (await this.#lastGood?.read()) ?? noneKept;
    if (this.#phase.kind === 'closed') throw new PinwheelError('closed', 'the ring tracker is closed');
    const { membership, clock, startDeadlineMs } = this.#setup;
    return new Promise((resolve, reject) => {
      const cancelDeadline = Number.isFinite(startDeadlineMs)
        ? clock.after(startDeadlineMs, () => this.#startWithoutSource())
        : () => {};
      this.#phase = { kind: 'starting', resolve, reject, saved, cancelDeadline };
      this.#unwatch = membership.watch({
        view: (view) => this.#viewed(view),
        trouble: (error) => this.#source.failed(error),
        fresh: () => this.#fresh(),
        conflict: (entry) => this.#warnings.warn(entry, 'another process has the id of this node'),
      });
    });
  }

  #viewed(view: MembersView): void {
    const phase = this.#phase;
    if (phase.kind === 'closed') return;
    const now = this.#setup.clock.now();
    if (phase.kind === 'starting') {
      if (this.#isRefused(view.members)) return;
      // more likely than a service that most have left is a source that lost its data
      if ('members' in phase.saved && this.#hasLostMost(phase.saved.members, view))
        this.#settle.view(phase.saved.members, now);
    }
    this.#phase = { kind: 'following', view };
    this.#settle.view(view.members, now);
    for (const entry of view.ignored) this.#warnings.warn(entry, 'a member is ignored');
    for (const member of this.#refused()) {
      this.#warnings.warn(this.#mismatch(member), 'a member with other ring settings is ignored');
    }
    this.#advance();
    if (phase.kind === 'starting') this.#ready(phase);
  }

  /** Beside members with other settings it would have a ring of its own: it does not start. */
  #isRefused(members: readonly Member[], savedAt?: string): boolean {
    const mismatch = mismatchAmong(members, this.settings, savedAt);
    if (mismatch !== undefined) this.#end(mismatch);
    return mismatch !== undefined;
  }

  #hasLostMost(saved: readonly Member[], { members }: MembersView): boolean {
    const listed = new Set(members.map(({ id }) => id));
    const ring = saved.filter(({ draining }) => !draining);
    const missing = ring.filter(({ id }) => !listed.has(id)).length;
    const { freezeAbove } = this.#setup.settle;
    return massLoss(missing, 0, ring.length, listed.size, freezeAbove) !== undefined;
  }

  #fresh(): void {
    this.#source.read();
    if (this.#awaitsRead) this.#hasRead();
  }

  /** Has the source read now, or as soon as it can be: a read that is under way may have begun long ago. */
  async #readSource(): Promise<void> {
    await this.refresh();
    if (this.#source.lastError === undefined) this.#hasRead();
    else this.#awaitsRead = true;
  }

  #hasRead(): void {
    this.#awaitsRead = false;
    if (this.#phase.kind === 'closed') return;
    this.#settle.read(this.#setup.clock.now());
    this.#advance();
  }

  #startWithoutSource(): void {
    const phase = this.#phase;
    if (phase.kind !== 'starting') return;
    const { membership, startDeadlineMs, clock } = this.#setup;
    if ('fault' in phase.saved) {
      const cause = this.#source.lastError;
      const unheard = notHeard(membership.description, startDeadlineMs, cause);
      const text = phase.saved.fault === undefined ? unheard : `${unheard}; ${phase.saved.fault}`;
      this.#end(new PinwheelError('membership', text, { cause }));
      return;
    }
    const { members, savedAt } = phase.saved;
    if (this.#isRefused(members, savedAt)) return;
    this.#phase = { kind: 'from-disk', savedAt };
    this.#source.knownFrom(savedAt);
    this.#settle.view(members, clock.now());
    this.#advance();
    this.#ready(phase);
  }

  #ready(phase: Phase & { readonly kind: 'starting' }): void {
    phase.cancelDeadline();
    const { fingerprint, members } = this.current.ring;
    const { description } = this.#setup.membership;
    this.#setup.log.info({ fingerprint, members: members.length, source: description }, 'first ring');
    phase.resolve(this.current);
  }

  /** After anything that may have changed who counts: asks, publishes, and sees to the next time. */
  #advance(mayWait = true): void {
    if (this.#phase.kind === 'closed' || this.#phase.kind === 'idle') return;
    const { clock } = this.#setup;
    const now = clock.now();
    this.#prober.run(this.#settle.takeProbes(now));
    if (this.#settle.takeRead(now)) void this.#readSource();
    this.#publish(mayWait);
    this.#cancelTick();
    const dueAt = this.#settle.dueAt;
    if (dueAt === undefined) return;
    this.#cancelTick = clock.after(Math.max(1, dueAt - now), () => {
      this.#settle.tick(clock.now());
      this.#advance();
    });
  }

  #publish(mayWait: boolean): void {
    const { log } = this.#setup;
    const phase = this.#phase;
    const before = this.current;
    const reachable = this.#settle.reachable.filter((member) => !hasOtherSettings(member, this.#digest));
    const index = phase.kind === 'following' ? phase.view.index : '0';
    // before the first ring there is nothing to disturb
    const next = this.#states.next(this.#settle.counted, reachable, index, mayWait && before.generation > 0);
    this.#noteFrozen();
    for (const entry of this.#states.leftOut) this.#warnings.warn(entry, 'a member is left out of the ring');
    if (next === undefined) return;
    if (next.ring !== before.ring && before.generation > 0) {
      const { fingerprint, members } = next.ring;
      const fields = { fingerprint, members: members.length, generation: next.generation };
      log.info({ ...fields, ...ringChange(before.ring, next) }, 'the ring changed');
    }
    if (next.members.size > 0) this.#lastGood?.save(next.members.values(), next.index);
    this.#subscribers.tell(next, before);
  }

  #noteFrozen(): void {
    const phase = this.#phase;
    const saved =
      phase.kind === 'from-disk' ? `not heard yet; the ring was saved at ${phase.savedAt}` : undefined;
    const frozen = this.#states.buildFault ?? saved ?? this.#settle.frozen;
    const { log, membership } = this.#setup;
    const fields = { source: membership.description, reason: frozen };
    if (frozen !== undefined && this.#frozen === undefined) log.warn(fields, 'the ring is frozen');
    if (frozen === undefined && this.#frozen !== undefined)
      log.info(fields, 'the ring follows its source again');
    this.#frozen = frozen;
  }

  #refused(): readonly Member[] {
    if (this.#phase.kind !== 'following') return [];
    return this.#phase.view.members.filter((member) => hasOtherSettings(member, this.#digest));
  }

  #mismatch(member: Member): { readonly id: string; readonly reason: string } {
    return { id: member.id, reason: describeMismatch(member, this.settings) };
  }

  #end(error: PinwheelError): void {
    const phase = this.#phase;
    this.#phase = { kind: 'closed' };
    this.#unwatch();
    this.#cancelTick();
    this.#states.close();
    this.#prober.close();
    this.#subscribers.clear();
    if (phase.kind !== 'starting') return;
    phase.cancelDeadline();
    phase.reject(error);
  }
}
