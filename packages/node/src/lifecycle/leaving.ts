import type { Moves } from '@pinwheel/holder';
import { type Log, type Registered, systemClock } from '@pinwheel/membership';
import type { Admission } from '../direct/admission.js';
import type { Phase } from './phase.js';

export interface LeavingOptions {
  readonly id: string;
  /** Longest time until everybody has gone, in ms. */
  readonly drainMs: number;
  readonly log: Log;
  readonly admission: Admission;
  readonly moves: Moves;
  /** Users who have yet to go, those included whose new holder has not said that it has them. */
  readonly users: () => number;
  /** Closed sessions whose client has not read everything yet. */
  readonly unread: () => number;
  /** What clients have done that the application has yet to hear, and from no other node will. */
  readonly unheard: () => number;
  /** Begins to wait for the requests that have come; gives what tells how many of them are not answered yet. */
  readonly lastRequests: () => () => number;
  readonly isInRing: () => boolean;
  /** Tells the other nodes that nobody is left here, if that is so. */
  readonly sayLast: () => void;
  /** Stops listening, cuts what is left and closes every part. */
  readonly end: () => Promise<void>;
}

const pollMs = 20;
/** Callers that have yet to hear that this node has left find it for so long after its last user has gone. */
const lingerMs = 300;
/** A request that is cut off is sent again, to where its user is now, though this one may have delivered it. */
const answerMs = 500;
/** At the pace users go in this part of the time, and whatever it is in the rest. */
export const pacedPart = 0.75;
/** To send the rest on takes a moment, however short the time to drain is. */
const leastRestMs = 1000;
/** Users who are told to go before the ring has changed would come straight back, but they do not wait for ever. */
const ringWithoutMeMs = 5000;
/** The source of members may be away: what is left of the entry is what its health check finds. */
const leaveMs = 2000;

/** The way of a node from its start to its end. */
export class Leaving {
  readonly #options: LeavingOptions;
  #phase: Phase = 'starting';
  #registered: Registered | undefined;
  #takenOut: Promise<void> | undefined;
  #leaving: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: LeavingOptions) {
    this.#options = options;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** The node is in the membership. One that was told to leave before that leaves it again. */
  async serving(registered: Registered): Promise<void> {
    this.#registered = registered;
    if (this.#phase === 'starting') this.#phase = 'serving';
    else if (this.#phase === 'closed') await this.#takeOut();
    else this.#flag(registered);
  }

  /** Leaves as planned, within `drainMs` and a little. May be called twice. */
  drain(): Promise<void> {
    this.#leaving ??= this.#drain();
    return this.#leaving;
  }

  /** Another process runs under this id, at `where`: nobody is this node's any more. */
  replaced(where: string): Promise<void> {
    this.#leaving ??= this.#yield(where);
    return this.#leaving;
  }

  /** Takes the entry out and ends, at once but for the entry. May be called twice, and during a drain. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #drain(): Promise<void> {
    if (this.#phase === 'closed') return;
    const { id, drainMs, log, admission, users, isInRing } = this.#options;
    const startedAt = systemClock.now();
    this.#phase = 'draining';
    admission.drain('this node is draining');
    log.info({ node: id, users: users() }, 'node is draining');
    if (this.#registered !== undefined) this.#flag(this.#registered);
    await this.#until(() => !isInRing(), startedAt + Math.min(drainMs, ringWithoutMeMs));
    await this.#sendOn(startedAt);
  }

  #flag(registered: Registered): void {
    registered.drain().catch((thrown: unknown) => {
      const text = 'the draining flag could not be set; draining all the same';
      this.#options.log.warn({ node: this.#options.id, error: String(thrown) }, text);
    });
  }

  async #yield(where: string): Promise<void> {
    if (this.#phase === 'closed') return;
    const { id, log, admission } = this.#options;
    this.#phase = 'replaced';
    admission.drain('another process has taken the place of this node');
    log.error(
      { node: id, at: where },
      `id ${id} is in use by ${where}: this process was replaced, sends its users on and ends; ids must be unique`,
    );
    // now, not when its users have gone: an entry that is looked after could be made anew, and drive the other one out
    void this.#takeOut();
    await this.#sendOn(systemClock.now());
  }

  async #sendOn(startedAt: number): Promise<void> {
    const { id, drainMs, log, moves, users, unread, unheard, lastRequests, sayLast } = this.#options;
    const deadline = startedAt + drainMs;
    const pacedUntil = startedAt + drainMs * pacedPart;
    const haveGone = (): boolean => users() === 0;
    if (this.#isOpen()) moves.leave(pacedUntil - systemClock.now());
    if (!(await this.#until(haveGone, pacedUntil)) && this.#isOpen()) {
      log.warn({ node: id, users: users() }, 'most of the time to drain is over; the rest goes now');
      moves.finish();
      await this.#until(haveGone, Math.max(deadline, systemClock.now() + leastRestMs));
    }
    await this.#until(() => unread() + unheard() === 0, deadline);
    if (users() + unread() + unheard() > 0) {
      log.error(
        { node: id, users: users(), unread: unread(), unheard: unheard() },
        'the time to drain is over; the rest is cut off',
      );
    }
    if (users() === 0) sayLast();
    await this.#takeOut();
    const askedBy = Math.min(deadline, startedAt + (this.#registered?.askedWithinMs ?? 0));
    await this.#until(() => false, Math.max(systemClock.now() + lingerMs, askedBy));
    const unanswered = lastRequests();
    await this.#until(() => unanswered() === 0, Math.max(deadline, systemClock.now() + answerMs));
    await this.close();
  }

  async #close(): Promise<void> {
    this.#phase = 'closed';
    await this.#takeOut();
    await this.#options.end();
    this.#options.log.info({ node: this.#options.id }, 'node is closed');
  }

  /** Once. An entry of another process under this id is left alone by whoever keeps the entries. */
  #takeOut(): Promise<void> {
    if (this.#registered === undefined) return Promise.resolve();
    this.#takenOut ??= this.#leave(this.#registered);
    return this.#takenOut;
  }

  async #leave(registered: Registered): Promise<void> {
    const { id, log } = this.#options;
    const failed = (error: string): void =>
      log.warn({ node: id, error }, 'the entry could not be taken out of the membership');
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        failed(`no answer within ${leaveMs} ms`);
        resolve();
      }, leaveMs);
    });
    await Promise.race([registered.leave().catch((thrown: unknown) => failed(String(thrown))), late]);
    clearTimeout(timer);
  }

  #isOpen(): boolean {
    return this.#phase !== 'closed';
  }

  /** Whether the condition came true in time; `false` too when the node is closed meanwhile. */
  async #until(condition: () => boolean, deadline: number): Promise<boolean> {
    while (!condition()) {
      if (systemClock.now() >= deadline || !this.#isOpen()) return false;
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
    return true;
  }
}
