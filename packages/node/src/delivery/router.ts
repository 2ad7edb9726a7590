import { performance } from 'node:perf_hooks';
import { deliver, deliverTo, type Holder, holdersToAsk, type Missing, sentOnTo } from '@pinwheel/holder';
import type { Member } from '@pinwheel/membership';
import { type ErrorCode, type Message, maxHops, type ReceiptDetail, Receipts } from '@pinwheel/protocol';
import type { NodeCounters } from '../counters/node-counters.js';
import type { Forwarder } from './forwarder.js';
import { adopt, errorDetail, type Group, settle, settleFailed } from './message-group.js';
import type { Passage } from './passage.js';

/**
 * Takes what is known of a batch before the rest of it is.
 *
 * @param receipts of the batch; those at the places in `later` are not known yet.
 * @param later in order; neither none nor all.
 */
export type KnownEarly = (receipts: Receipts, later: readonly number[]) => void;

export interface RouterOptions {
  readonly holder: Holder;
  readonly forwarder: Forwarder;
  readonly counters: NodeCounters;
  readonly now: () => number;
  /** Calls once, later; returns the call that cancels it. */
  readonly after: (delayMs: number, call: () => void) => () => void;
  /** Longest time that one forward may take, in ms: others' messages wait in the same batch. */
  readonly forwardTimeoutMs: number;
  /** The ring seems to be out of date. Cheap to call often. */
  readonly refreshRing: () => void;
  /** Takes the time of every batch, in seconds. */
  readonly observeBatch: (seconds: number) => void;
}

/** What is found out changes what is known of a user; after so many rounds things are too much in motion. */
const maxRounds = 4;
const late = errorDetail('deadline', 'the time for this message had passed when it came');
const stoodStill = errorDetail(
  'unavailable',
  'this node stood still, and the message may be out of date: nobody took it; send it again',
);

/**
 * Takes a batch of messages to their users: to the sessions that are here, whatever the ring says, else to where
 * the user should be. Ownership is judged for each key; rings are never compared as a whole. A message moves nobody:
 * whoever may hold the user is asked to deliver it, not to hand the user over, so that the pace stays the operator's.
 */
export class Router {
  readonly #options: RouterOptions;

  constructor(options: RouterOptions) {
    this.#options = options;
  }

  /**
   * As {@link route}, for a caller that waits for the receipts and tries again what nobody took: what may be out of
   * date because this process stood still is not taken.
   *
   * @param early called, before this returns, when some of the batch has to wait and the others need not wait for it.
   */
  answer(batch: readonly Message[], passage: Passage, early?: KnownEarly): Receipts | Promise<Receipts> {
    const mayBeOutOfDate = this.#options.holder.beforeDelivery();
    return mayBeOutOfDate ? noneTaken(batch, stoodStill) : this.#take(batch, passage, early);
  }

  /** The receipts, at once when every user is here. Never rejects. The batch must stay as it is until then. */
  route(batch: readonly Message[], passage: Passage): Receipts | Promise<Receipts> {
    this.#options.holder.beforeDelivery();
    return this.#take(batch, passage);
  }

  #take(batch: readonly Message[], passage: Passage, early?: KnownEarly): Receipts | Promise<Receipts> {
    const start = performance.now();
    const { holder, now } = this.#options;
    if (passage.deadline <= now()) return noneTaken(batch, late);
    const receipts = new Receipts(batch.length);
    const missing = deliver(holder.users, batch, receipts, holder.second);
    if (missing.size > 0) return this.#routeMissing(batch, missing, receipts, passage, start, early);
    this.#observe(start);
    return receipts;
  }

  #observe(start: number): void {
    this.#options.observeBatch((performance.now() - start) / 1000);
  }

  async #routeMissing(
    batch: readonly Message[],
    missing: Missing,
    receipts: Receipts,
    passage: Passage,
    start: number,
    early: KnownEarly | undefined,
  ): Promise<Receipts> {
    const waits: Promise<void>[] = [];
    const later: number[] = [];
    for (const [user, places] of missing) {
      const wait = this.#routeUser({ user, batch, places, receipts }, passage, 0);
      if (wait === undefined) continue;
      waits.push(wait);
      later.push(...places);
    }
    if (later.length > 0 && later.length < batch.length)
      early?.(
        receipts,
        later.sort((a, b) => a - b),
      );
    await Promise.all(waits);
    this.#observe(start);
    return receipts;
  }

  #routeUser(group: Group, passage: Passage, round: number): Promise<void> | undefined {
    const { holder } = this.#options;
    const known = holder.users.known(group.user);
    if (round > maxRounds) {
      const why = 'the user is on the move; nobody took the message';
      return settle(group, 'overloaded', errorDetail('unavailable', why));
    }
    if (known?.kind === 'held') {
      if (!known.isFrozen) return this.#deliverHere(group);
      return this.#lookAgain(group, passage, round, (look) => known.whenThawed(look));
    }
    if (known?.kind === 'prepared') {
      return this.#lookAgain(group, passage, round, (look) => {
        void holder.attaching.settleCopy(group.user).then(look);
      });
    }
    const to = sentOnTo(known, holder.ownership.state.members);
    const where = holder.ownership.whereabouts(group.user);
    switch (where.kind) {
      case 'nobody':
        return settle(group, 'overloaded', errorDetail('unavailable', 'the ring has no owner for this user'));
      case 'theirs':
        return this.#passOn(group, to ?? where.owner, passage);
      case 'mine':
        return this.#askHolders(group, holdersToAsk(to, where.before), passage, round);
      default:
        throw new TypeError(`unknown whereabouts ${where satisfies never}`);
    }
  }

  /** Waits for something about the user to become known, at most until the deadline. */
  async #lookAgain(
    group: Group,
    passage: Passage,
    round: number,
    wait: (look: () => void) => void,
  ): Promise<void> {
    const { now, after } = this.#options;
    let cancel = (): void => {};
    const isLate = await new Promise<boolean>((resolve) => {
      cancel = after(Math.max(0, passage.deadline - now()), () => resolve(true));
      wait(() => resolve(false));
    });
    cancel();
    if (isLate) {
      const why = 'the user was on its way to another node until the deadline';
      return settle(group, 'overloaded', errorDetail('deadline', why));
    }
    await this.#routeUser(group, passage, round + 1);
  }

  #passOn(group: Group, owner: Member, passage: Passage): Promise<void> | undefined {
    if (passage.noForward || passage.hops >= maxHops || owner.kind !== 'node')
      return this.#refuse(group, owner);
    // whatever becomes of it: whoever sent it had better send the next one there
    group.receipts.notePassedOn(group.places);
    return this.#forward(group, owner, passage, false).then((ends) => {
      const { failed } = adopt(group, ends);
      if (failed === undefined) return;
      this.#options.refreshRing();
      // nothing was sent: the sender may try again as soon as its ring has changed
      if (failed.why.failed === 'unreachable') this.#refuse(failed.group, owner);
      else settleFailed(failed);
    });
  }

  /** The user may still be where it was before the ring changed. */
  #askHolders(
    group: Group,
    before: readonly Member[],
    passage: Passage,
    round: number,
  ): Promise<void> | undefined {
    const [first] = before;
    if (first === undefined) return this.#settleAbsent(group);
    if (passage.noForward || passage.hops >= maxHops) return this.#refuse(group, first);
    return this.#ask(group, before, passage, round);
  }

  async #ask(group: Group, before: readonly Member[], passage: Passage, round: number): Promise<void> {
    const { holder, refreshRing } = this.#options;
    const { ring } = holder.ownership.state;
    const knownBefore = holder.users.known(group.user);
    const asking = [...before];
    let asked = group;
    let unsure: ErrorCode | undefined;
    for (let i = 0; i < asking.length; i++) {
      const member = asking[i]!;
      const { failed, notThere, named } = adopt(asked, await this.#forward(asked, member, passage, true));
      if (failed !== undefined) {
        refreshRing();
        // of any other failure nothing is known
        if (failed.why.failed !== 'unreachable') settleFailed(failed);
        else {
          notThere.push(...failed.group.places);
          if (!holder.ownership.hasLeft(member)) unsure = failed.why.failed;
        }
      }
      if (notThere.length === 0) return;
      asked = { ...group, places: notThere.sort((a, b) => a - b) };
      const known = holder.users.known(group.user);
      if (known?.kind === 'held' || known?.kind === 'prepared')
        return this.#routeUser(asked, passage, round + 1);
      const next = named === undefined ? undefined : holder.ownership.state.members.get(named);
      if (next?.kind === 'node' && next.id !== holder.ownership.self && isWorthAsking(next, asking, i))
        asking.push(next);
    }
    const isNews = holder.users.known(group.user) !== knownBefore || holder.ownership.state.ring !== ring;
    // it may have come and gone on while others were asked
    if (isNews) return this.#routeUser(asked, passage, round + 1);
    if (unsure === undefined) this.#settleAbsent(asked);
    else settle(asked, 'overloaded', errorDetail(unsure, 'whoever may hold the user cannot be reached'));
  }

  /** Nobody has the user. */
  #settleAbsent(group: Group): undefined {
    if (!this.#options.holder.ownership.isAwaited(group.user)) return settle(group, 'offline');
    const why = 'the node of the user has just died; its edge may be bringing it';
    return settle(group, 'overloaded', errorDetail('unavailable', why));
  }

  #deliverHere(group: Group): undefined {
    const { holder } = this.#options;
    const held = holder.users.get(group.user)!;
    const written = new Uint16Array(group.batch.length);
    deliverTo(held, group.batch, group.places, written, group.receipts, holder.second);
    return undefined;
  }

  #refuse(group: Group, owner: Member): undefined {
    this.#options.counters.notOwner += group.places.length;
    const { fingerprint } = this.#options.holder.ownership.state.ring;
    const detail: ReceiptDetail = { owner: owner.id, fingerprint };
    return settle(group, 'not-owner', detail);
  }

  #forward(group: Group, to: Member, passage: Passage, noForward: boolean) {
    const { forwarder, counters, now, forwardTimeoutMs } = this.#options;
    counters.forwarded += group.places.length;
    const messages = group.places.map((i) => group.batch[i]!);
    const deadline = Math.min(passage.deadline, now() + forwardTimeoutMs);
    return forwarder.forward(to, messages, { hops: passage.hops + 1, noForward, deadline });
  }
}

function noneTaken({ length }: readonly Message[], why: ReceiptDetail): Receipts {
  const receipts = new Receipts(length);
  for (let i = 0; i < length; i++) receipts.set(i, 'overloaded', 0, why);
  return receipts;
}

/** Whether a member that was named last is to be asked: the user may have come to it after it was asked, but once. */
function isWorthAsking({ id }: Member, asking: readonly Member[], asked: number): boolean {
  const times = asking.filter((member) => member.id === id).length;
  return times === 0 || (times === 1 && asking.findIndex((member) => member.id === id) <= asked);
}
