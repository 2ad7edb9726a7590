import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { PinwheelError } from '@pinwheel/protocol';
import { AddressRule, type AddressRuleOptions } from '../member/address-rule.js';
import { askHealth } from '../member/ask-health.js';
import type {
  MemberPorts,
  Membership,
  MembershipListener,
  MembersView,
  Registered,
  Registration,
} from '../member/contract.js';
import { viewOf } from '../member/digest.js';
import { checkRegistration } from '../member/registration.js';
import { told, Watchers } from '../member/watchers.js';
import { sleep } from '../time/sleep.js';
import { TokenBucket } from '../time/token-bucket.js';
import { inParallel } from './in-parallel.js';
import { parseStaticMembers, readStaticFile, type StaticMember } from './static-file.js';
import { StaticHeard } from './static-heard.js';

export interface StaticMembershipOptions {
  /**
   * Pause between two rounds of questions to the members, in ms, ±20 %. Default 1000. Longer: a drain is noticed
   * later; shorter: every process asks every member more often.
   */
  readonly pollMs?: number;
  /** Deadline of one question, in ms. Default 500. */
  readonly askTimeoutMs?: number;
  /** Where members may be; the others are left out, and nobody dials them. Host names and all ports are taken by default. */
  readonly addresses?: AddressRuleOptions;
}

/** Questions at the same time: those that are not answered must not hold up the others for long. */
const maxParallel = 64;
/** By this part a pause is longer or shorter: processes that were started together ask at times of their own. */
const pauseSpread = 0.2;
/** So many may be asked one after the other meanwhile: the one before, and the one itself, late or a second time. */
const questions = 3;
/** Two rounds that somebody asks for at once, then one per this time, in ms: each asks every member. */
const refreshPauseMs = 500;

/**
 * Members from a list in a file, or given as it is. A file is read again when it changes; one that is broken is
 * trouble, and the members of the last good one stay. Whether a member drains, its incarnation and its ring settings
 * come from its own `/healthz`; one that does not answer stays in the list, which is the operator's word, unless it
 * drained before: then it has left until it answers again.
 *
 * @param members the list, or the path of a file `{"members":[…]}`.
 * @throws PinwheelError `bad-option` for a list with a bad member.
 */
export function staticMembership(
  members: readonly StaticMember[] | string,
  options: StaticMembershipOptions = {},
): Membership {
  const source = typeof members === 'string' ? resolve(members) : parseStaticMembers(members);
  return new StaticMembership(source, options);
}

class StaticMembership implements Membership {
  readonly description: string;
  readonly #source: string | readonly StaticMember[];
  readonly #pollMs: number;
  readonly #askTimeoutMs: number;
  readonly #addresses: AddressRule;
  readonly #watchers = new Watchers();
  readonly #heard = new StaticHeard();
  #rounds = 0;
  #loop: AbortController | undefined;
  #wake = new AbortController();
  #round: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  readonly #refreshes = new TokenBucket(2, refreshPauseMs, performance.now());
  #closed = false;

  constructor(source: string | readonly StaticMember[], options: StaticMembershipOptions) {
    this.#source = source;
    this.#pollMs = options.pollMs ?? 1_000;
    this.#askTimeoutMs = options.askTimeoutMs ?? 500;
    this.#addresses = new AddressRule(options.addresses ?? {}, 'file');
    this.description = typeof source === 'string' ? `file ${source}` : `list of ${source.length} members`;
  }

  watch(listener: MembershipListener): () => void {
    if (this.#closed) return () => {};
    const remove = this.#watchers.add(listener);
    if (this.#loop === undefined) this.#run();
    return () => {
      remove();
      if (this.#watchers.size === 0) this.#stop();
    };
  }

  async refresh(): Promise<void> {
    if (this.#watchers.size === 0) return;
    this.#next ??= this.#nextRound();
    await this.#next;
    await told();
  }

  async #nextRound(): Promise<void> {
    await sleep(this.#refreshes.take(performance.now()));
    this.#next = undefined;
    // a round that began before the call may have read the file before it changed
    await this.#round;
    if (this.#watchers.size > 0) await this.#readRound();
  }

  async portsOf(id: string): Promise<MemberPorts | undefined> {
    return (await this.#read()).find((member) => member.id === id);
  }

  async register(self: Registration): Promise<Registered> {
    checkRegistration(self, this.#addresses);
    const written = (await this.#read()).find(({ id }) => id === self.id);
    const entry = {
      id: self.id,
      address: self.address,
      port: self.port,
      ...(self.wsPort === undefined ? {} : { wsPort: self.wsPort }),
    };
    const fault =
      written === undefined
        ? 'is not in'
        : written.port !== self.port
          ? `has port ${written.port}, not ${self.port}, in`
          : written.wsPort !== undefined && written.wsPort !== self.wsPort
            ? `has wsPort ${written.wsPort}, not ${self.wsPort ?? 'none'}, in`
            : undefined;
    if (fault !== undefined) {
      const advice = `its entry must say ${JSON.stringify(entry)}`;
      throw new PinwheelError('membership', `member ${self.id} ${fault} ${this.description}; ${advice}`);
    }
    // others see it in the list already, and hear from its own /healthz that it drains, as this process does
    const askedWithinMs = (1 + pauseSpread) * this.#pollMs + questions * this.#askTimeoutMs;
    return { drain: () => this.refresh(), leave: async () => {}, askedWithinMs };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#watchers.clear();
    this.#stop();
  }

  #run(): void {
    const loop = new AbortController();
    this.#loop = loop;
    void this.#poll(loop.signal);
  }

  #stop(): void {
    this.#loop?.abort();
    this.#loop = undefined;
    this.#watchers.forget();
  }

  async #poll(signal: AbortSignal): Promise<void> {
    const folder = this.#watchFolder();
    while (!signal.aborted) {
      // before the file is read: a change during the read wakes the loop again
      this.#wake = new AbortController();
      await this.#readRound();
      const pause = this.#pollMs * (1 + pauseSpread * (2 * Math.random() - 1));
      await sleep(pause, signal, this.#wake.signal);
      // a change of the file comes as several events: one read for all of them
      if (this.#wake.signal.aborted) await sleep(10, signal);
    }
    folder?.close();
  }

  /** The folder rather than the file: an editor replaces the file by renaming. The poll catches what this misses. */
  #watchFolder(): FSWatcher | undefined {
    if (typeof this.#source !== 'string') return undefined;
    const name = basename(this.#source);
    try {
      const watcher = watch(dirname(this.#source), (_event, changed) => {
        if (changed === name) this.#wake.abort();
      });
      watcher.on('error', () => {});
      return watcher;
    } catch {
      return undefined;
    }
  }

  #readRound(): Promise<void> {
    this.#round ??= this.#readOnce().finally(() => {
      this.#round = undefined;
    });
    return this.#round;
  }

  async #readOnce(): Promise<void> {
    try {
      const { allowed: written, ignored } = this.#split(await this.#read());
      await inParallel(written, maxParallel, async ({ id, address, port }) => {
        this.#heard.note(id, await askHealth(address, port, this.#askTimeoutMs));
      });
      this.#heard.keepOnly(new Set(written.map(({ id }) => id)));
      if (this.#watchers.size === 0) return;
      const index = String(++this.#rounds);
      const there = written.filter((one) => !this.#heard.hasLeft(one));
      // where they say that their clients come must be allowed, too
      const heard = this.#split(there.map((one) => this.#heard.member(one)));
      this.#watchers.publish(viewOf(heard.allowed, index, [...ignored, ...heard.ignored]));
    } catch (error) {
      this.#watchers.trouble(PinwheelError.from(error, 'membership'));
    }
  }

  #split<Located extends StaticMember>(all: readonly Located[]) {
    const ignored: MembersView['ignored'][number][] = [];
    const allowed = all.filter((member) => {
      const reason = this.#addresses.faultOf(member);
      if (reason !== undefined) ignored.push({ id: member.id, reason });
      return reason === undefined;
    });
    return { allowed, ignored };
  }

  async #read(): Promise<readonly StaticMember[]> {
    return typeof this.#source === 'string' ? readStaticFile(this.#source) : this.#source;
  }
}
