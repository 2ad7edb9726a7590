import { backoffMs, type Clock } from '@pinwheel/membership';
import { Rounds } from '@pinwheel/migration';
import { PinwheelError } from '@pinwheel/protocol';
import type { Routes } from './routes.js';
import { defaultLeaseMs } from './strategy.js';

export interface RegistrarOptions {
  readonly routes: Pick<Routes, 'write'>;
  /** How the registry names this node. */
  readonly where: string;
  /** Default: 30,000. */
  readonly leaseMs?: number;
  readonly clock: Clock;
  readonly random: () => number;
  /** The registry could not be written to. Called once until it could. */
  readonly failing: (error: Error) => void;
  readonly working: () => void;
  /** Of this user, and perhaps of others, something else is where the route belongs. Called once until it is of nobody any more. */
  readonly refused: (user: string) => void;
}

const mostPerWrite = 1000;
const writeDeadlineMs = 2000;
const retryWait = { firstMs: 50, longestMs: 2000 };
/** Of a lease, between one renewal and the next: two may fail, one of somebody who has just come. */
const renewals = 3;
/** So long the routes of a user who has moved overlap, in ms. */
const overlapMs = 1000;
/** Renewals go in so many parts, so that neither this process nor the registry stands still for them. */
const renewalParts = 20;

/**
 * Keeps a registry in step with whom a node has: writes down how it is now, never what has changed, so that a write may
 * be late, repeated or lost. Knows no socket and has no clock of its own.
 */
export class Registrar {
  readonly #options: RegistrarOptions;
  readonly #here = new Set<string>();
  readonly #renewals = new Rounds(this.#here);
  /** Users of whom the registry may know something else than what holds. */
  readonly #unwritten = new Set<string>();
  /** Users who are here and whose route has no place: tried again at each renewal. */
  readonly #refused = new Set<string>();
  #isWriting = false;
  #inFlight = 0;
  #failures = 0;
  /** A registry that was away may have lost everything. */
  #wasAway = false;
  /** Users who have moved and whose route here stays for a moment, with the call that cancels its end. */
  readonly #overlapping = new Map<string, () => void>();
  #cancelRetry: (() => void) | undefined;
  #cancelRenewal: (() => void) | undefined;
  #isStopped = false;
  #written = 0;

  constructor(options: RegistrarOptions) {
    this.#options = options;
    this.#scheduleRenewal();
  }

  /** Users whose route is still to be written. */
  get unwritten(): number {
    return this.#unwritten.size + this.#inFlight;
  }

  /** Routes written so far, renewals included. */
  get written(): number {
    return this.#written;
  }

  get isFailing(): boolean {
    return this.#failures > 0;
  }

  /** The node has the user now. */
  came(user: string): void {
    this.#endOverlap(user);
    this.#here.add(user);
    this.#changed(user);
  }

  /** The node has the user no more. */
  left(user: string): void {
    this.#endOverlap(user);
    this.#here.delete(user);
    this.#changed(user);
  }

  /**
   * Another node has the user now. This node's route stays until the other one's is sure to be written: two are harmless,
   * and with none the user would be offline.
   */
  moved(user: string): void {
    this.#endOverlap(user);
    this.#here.delete(user);
    const cancel = this.#options.clock.after(overlapMs, () => {
      this.#overlapping.delete(user);
      this.#changed(user);
    });
    this.#overlapping.set(user, cancel);
  }

  /** The registry, or the way to this node, was away: everybody is written down again. */
  renewAll(): void {
    for (const user of this.#here) this.#unwritten.add(user);
    this.#write();
  }

  /**
   * Writes down that nobody is here. Resolves when that is done, or after `deadlineMs`: leases end what is left.
   */
  async close(deadlineMs: number): Promise<void> {
    const { clock } = this.#options;
    const last = clock.now() + deadlineMs;
    this.#cancelRenewal?.();
    for (const user of [...this.#here, ...this.#overlapping.keys()]) this.left(user);
    while (this.unwritten > 0 && clock.now() < last && !this.isFailing) {
      this.#write();
      await new Promise<void>((resolve) => clock.after(5, resolve));
    }
    this.#isStopped = true;
    this.#cancelRetry?.();
  }

  #endOverlap(user: string): void {
    this.#overlapping.get(user)?.();
    this.#overlapping.delete(user);
  }

  #scheduleRenewal(): void {
    const { clock, leaseMs = defaultLeaseMs } = this.#options;
    this.#cancelRenewal = clock.after(leaseMs / renewals / renewalParts, () => {
      this.#renewals.go(1 / renewalParts, (user) => this.#unwritten.add(user));
      this.#write();
      this.#scheduleRenewal();
    });
  }

  #changed(user: string): void {
    if (this.#isStopped) return;
    this.#unwritten.add(user);
    this.#write();
  }

  #write(): void {
    if (this.#isWriting || this.#isStopped || this.#cancelRetry !== undefined) return;
    this.#isWriting = true;
    // whoever comes and goes in the same run of code is written once
    queueMicrotask(() => void this.#run());
  }

  async #run(): Promise<void> {
    while (this.#unwritten.size > 0 && !this.#isStopped) {
      const users = this.#take();
      this.#inFlight = users.length;
      try {
        await this.#writeDown(users);
      } catch (thrown) {
        for (const user of users) this.#unwritten.add(user);
        this.#failed(thrown as Error);
        break;
      } finally {
        this.#inFlight = 0;
      }
      if (this.#failures > 0) this.#works();
    }
    this.#isWriting = false;
  }

  #take(): readonly string[] {
    const users: string[] = [];
    for (const user of this.#unwritten) {
      users.push(user);
      this.#unwritten.delete(user);
      if (users.length === mostPerWrite) break;
    }
    return users;
  }

  async #writeDown(users: readonly string[]): Promise<void> {
    const { routes, where, leaseMs = defaultLeaseMs } = this.#options;
    const here: string[] = [];
    const gone: string[] = [];
    for (const user of users) {
      const isFound = this.#here.has(user) || this.#overlapping.has(user);
      (isFound ? here : gone).push(user);
    }
    const refused = await routes.write(where, { here, gone }, leaseMs, writeDeadlineMs);
    this.#written += users.length - refused.length;
    if (refused.length > 0 || this.#refused.size > 0) this.#noteRefused(users, refused);
  }

  #noteRefused(users: readonly string[], refused: readonly string[]): void {
    const wasNone = this.#refused.size === 0;
    for (const user of users) this.#refused.delete(user);
    for (const user of refused) this.#refused.add(user);
    if (wasNone && refused.length > 0) this.#options.refused(refused[0]!);
  }

  #works(): void {
    this.#failures = 0;
    this.#options.working();
    if (!this.#wasAway) return;
    this.#wasAway = false;
    this.renewAll();
  }

  #failed(error: Error): void {
    const { clock, random, failing } = this.#options;
    // one that is only slow has lost nothing, and must not be given more to do
    if (PinwheelError.from(error).code !== 'deadline') this.#wasAway = true;
    if (++this.#failures === 1) failing(error);
    this.#cancelRetry = clock.after(backoffMs(this.#failures, retryWait, random), () => {
      this.#cancelRetry = undefined;
      this.#write();
    });
  }
}
