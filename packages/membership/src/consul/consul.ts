import { PinwheelError } from '@pinwheel/protocol';
import { followKeys, type KeySource } from '@pinwheel/trust';
import type {
  Member,
  Membership,
  MembershipListener,
  MembersView,
  Registered,
  Registration,
} from '../member/contract.js';
import { viewOf } from '../member/digest.js';
import { checkRegistration } from '../member/registration.js';
import { told, Watchers } from '../member/watchers.js';
import { systemClock } from '../time/clock.js';
import { askProof } from './ask-proof.js';
import { ConsulCalls, type HealthAnswered } from './consul-calls.js';
import { membersFromEntries } from './consul-entry.js';
import { type ConsulOptions, type ConsulSetup, consulSetup } from './consul-options.js';
import { ConsulRegistration } from './consul-registration.js';
import { ConsulWatch } from './consul-watch.js';
import { ProvenMembers } from './proven-members.js';

/**
 * Members from Consul: the passing instances of one service, by blocking queries. Nodes register themselves with an
 * HTTP check on `/healthz`; any other server that is registered there is a foreign backend.
 *
 * @throws PinwheelError `bad-option` that names the option, the value and the bound.
 */
export function consulMembership(options: ConsulOptions): Membership {
  return new ConsulMembership(consulSetup(options));
}

/** What Consul said last. */
interface Answer {
  readonly members: readonly Member[];
  readonly ignored: MembersView['ignored'];
  readonly index: string;
}

class ConsulMembership implements Membership {
  readonly description: string;
  readonly #setup: ConsulSetup;
  readonly #calls: ConsulCalls;
  readonly #watchers = new Watchers();
  readonly #registrations = new Map<string, ConsulRegistration>();
  /** Those whose entry is being made. */
  readonly #entering = new Set<ConsulRegistration>();
  #watch: ConsulWatch | undefined;
  /** Missing where nobody has to prove anything. */
  #proven: ProvenMembers | undefined;
  #unfollowKeys: (() => void) | undefined;
  #answer: Answer | undefined;
  /** It was read, and the watchers have yet to hear of it. */
  #isUntold = false;
  #closed = false;

  constructor(setup: ConsulSetup) {
    const tagged = setup.tag === undefined ? '' : `, tag ${setup.tag}`;
    this.description = `consul ${setup.host}:${setup.port}, service ${setup.service}${tagged}`;
    this.#setup = setup;
    this.#calls = new ConsulCalls(setup);
  }

  watch(listener: MembershipListener): () => void {
    if (this.#closed) return () => {};
    const remove = this.#watchers.add(listener);
    this.#watch ??= this.#open();
    return () => {
      remove();
      if (this.#watchers.size === 0) this.#stop();
    };
  }

  async refresh(): Promise<void> {
    await this.#watch?.refresh();
    // what was read may be told only when its members have proven themselves
    await this.#proven?.released();
    await told();
  }

  async register(self: Registration): Promise<Registered> {
    if (this.#closed) throw new PinwheelError('closed', `${this.description} is closed`);
    checkRegistration(self, this.#setup.addresses);
    const { service, tag, checkIntervalMs, checkTimeoutMs, deregisterAfterMs, deadlineMs, verifyMs } =
      this.#setup;
    const registration = new ConsulRegistration(this.#calls, self, {
      service,
      tag,
      checkIntervalMs,
      checkTimeoutMs,
      deregisterAfterMs,
      deadlineMs,
      verifyMs,
      listedNow: async (id, timeoutMs) => {
        const read = { service, tag, stale: false, index: undefined, waitMs: 0, timeoutMs };
        const { entries } = await this.#calls.health(read);
        const { members } = membersFromEntries(entries, this.#setup.addresses);
        return members.find((member) => member.id === id);
      },
      trouble: (error) => this.#watchers.trouble(error),
      conflict: (entry) => this.#watchers.conflict(entry),
    });
    this.#entering.add(registration);
    try {
      await registration.enter();
    } finally {
      this.#entering.delete(registration);
      if (this.#closed) await this.#takeOut(registration);
    }
    if (this.#closed) {
      throw new PinwheelError('closed', `${this.description} was closed while ${self.id} was registered`);
    }
    this.#registrations.set(self.id, registration);
    return {
      drain: () => registration.drain(),
      leave: async () => {
        try {
          await registration.leave();
        } finally {
          if (this.#registrations.get(self.id) === registration) this.#registrations.delete(self.id);
        }
        if (this.#isIdle()) this.#calls.close();
      },
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#watchers.clear();
    for (const registration of [...this.#entering, ...this.#registrations.values()]) registration.abandon();
    this.#registrations.clear();
    this.#stop();
  }

  /** An entry that was made, perhaps, when it was not wanted any more; what cannot be taken out its check ends. */
  async #takeOut(registration: ConsulRegistration): Promise<void> {
    await registration.leave().catch(() => {});
    this.#calls.close();
  }

  #open(): ConsulWatch {
    const { service, tag, stale, waitMs, timeoutMs, firstRetryMs, longestRetryMs, pauseMs } = this.#setup;
    const { keys } = this.#setup;
    if (keys !== undefined) this.#haveProven(keys);
    // Consul may add a sixteenth of the wait, so that watchers do not wake together
    const deadlineMs = waitMs + waitMs / 16 + timeoutMs;
    return new ConsulWatch({
      read: (index, signal) => {
        const limitMs = index === undefined ? timeoutMs : deadlineMs;
        return this.#calls.health({ service, tag, stale, index, waitMs, timeoutMs: limitMs, signal });
      },
      answered: (answer) => this.#answered(answer),
      failed: (error) => this.#watchers.trouble(error),
      firstRetryMs,
      longestRetryMs,
      pauseMs,
    });
  }

  #haveProven(keys: KeySource): void {
    const changed = (): void => this.#publish();
    const proven = new ProvenMembers({ ask: askProof(keys), clock: systemClock, changed });
    this.#unfollowKeys = followKeys(keys, (now) => proven.keysChanged(now));
    this.#proven = proven;
  }

  #answered(answer: HealthAnswered): void {
    const { members, ignored } = membersFromEntries(answer.entries, this.#setup.addresses);
    this.#answer = { members, ignored, index: answer.index ?? '0' };
    this.#proven?.follow(members);
    this.#isUntold = true;
    if (this.#proven?.isHeld !== true) this.#publish();
    const listed = new Set(members.map(({ id }) => id));
    for (const [id, registration] of this.#registrations) registration.listed(listed.has(id));
  }

  #publish(): void {
    if (this.#answer === undefined) return;
    const isRead = this.#isUntold;
    this.#isUntold = false;
    const { members, ignored, index } = this.#answer;
    const taken = this.#proven?.split(members) ?? { members, ignored: [] };
    this.#watchers.publish(viewOf(taken.members, index, [...ignored, ...taken.ignored]), isRead);
  }

  #stop(): void {
    this.#watch?.close();
    this.#watch = undefined;
    this.#unfollowKeys?.();
    this.#proven?.close();
    this.#proven = undefined;
    this.#answer = undefined;
    this.#watchers.forget();
    if (this.#isIdle()) this.#calls.close();
  }

  #isIdle(): boolean {
    return this.#watch === undefined && this.#registrations.size === 0;
  }
}
