import type { Member } from '@pinwheel/membership';
import {
  type ErrorCode,
  type Message,
  maxHops,
  type ReceiptDetail,
  type ReceiptStatus,
  Receipts,
} from '@pinwheel/protocol';
import { deliver, deliverTo, type Missing } from './delivery.js';
import type { Forwarded, Forwarder } from './forwarder.js';
import type { NodeCounters } from './node-counters.js';
import type { Ownership } from './ownership.js';
import type { SessionTable } from './session-table.js';

/** What a request says of the way it has come and the time it has left. */
export interface Passage {
  readonly hops: number;
  readonly noForward: boolean;
  /** In ms since the epoch. */
  readonly deadline: number;
}

export interface RouterOptions {
  readonly table: SessionTable;
  readonly ownership: Ownership;
  readonly forwarder: Forwarder;
  readonly counters: NodeCounters;
  readonly now: () => number;
  /** Longest time that one forward may take, in ms: others' messages wait in the same batch. */
  readonly forwardTimeoutMs: number;
  /** The ring seems to be out of date. Cheap to call often. */
  readonly refreshRing: () => void;
  /** Takes the time of every batch, in seconds. */
  readonly observeBatch: (seconds: number) => void;
}

/**
 * Takes a batch of messages to their users: to the sessions that are here, whatever the ring says, else to where
 * the user should be. Ownership is judged for each key; rings are never compared as a whole.
 */
export class Router {
  readonly #options: RouterOptions;

  constructor(options: RouterOptions) {
    this.#options = options;
  }

  /** The receipts, at once when every user is here. Never rejects. The batch must stay as it is until then. */
  route(batch: readonly Message[], passage: Passage): Receipts | Promise<Receipts> {
    const start = performance.now();
    const receipts = new Receipts(batch.length);
    if (passage.deadline <= this.#options.now()) {
      const late = errorDetail('deadline', 'the time for this message had passed when it came');
      for (let i = 0; i < batch.length; i++) receipts.set(i, 'overloaded', 0, late);
      return receipts;
    }
    const missing = deliver(this.#options.table, batch, receipts);
    if (missing.size > 0) return this.#routeMissing(batch, missing, receipts, passage, start);
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
  ): Promise<Receipts> {
    const waits: Promise<void>[] = [];
    for (const [user, places] of missing) {
      const wait = this.#routeUser({ user, batch, places, receipts }, passage);
      if (wait !== undefined) waits.push(wait);
    }
    await Promise.all(waits);
    this.#observe(start);
    return receipts;
  }

  #routeUser(group: Group, passage: Passage): Promise<void> | undefined {
    const where = this.#options.ownership.whereabouts(group.user);
    switch (where.kind) {
      case 'nobody':
        return settle(group, 'overloaded', errorDetail('unavailable', 'the ring has no owner for this user'));
      case 'theirs':
        return this.#passOn(group, where.owner, passage);
      case 'mine':
        return this.#askFormerOwners(group, where.before, passage);
      default:
        throw new TypeError(`unknown whereabouts ${where satisfies never}`);
    }
  }

  #passOn(group: Group, owner: Member, passage: Passage): Promise<void> | undefined {
    if (passage.noForward || passage.hops >= maxHops || owner.kind !== 'node')
      return this.#refuse(group, owner);
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
  #askFormerOwners(group: Group, before: readonly Member[], passage: Passage): Promise<void> | undefined {
    const [first] = before;
    if (first === undefined) return settle(group, 'offline');
    if (passage.noForward || passage.hops >= maxHops) return this.#refuse(group, first);
    return this.#ask(group, before, passage);
  }

  async #ask(group: Group, before: readonly Member[], passage: Passage): Promise<void> {
    let asked = group;
    for (const member of before) {
      const { failed, notThere } = adopt(asked, await this.#forward(asked, member, passage, true));
      if (failed !== undefined) {
        this.#options.refreshRing();
        const hasLeft = !this.#options.ownership.state.members.has(member.id);
        // a node that has left before anything was sent holds nobody; of any other failure nothing is known
        if (failed.why.failed !== 'unreachable' || !hasLeft) settleFailed(failed);
        else notThere.push(...failed.group.places);
      }
      if (notThere.length === 0) return;
      asked = { ...group, places: notThere.sort((a, b) => a - b) };
      if (this.#deliverHere(asked)) return;
    }
    settle(asked, 'offline');
  }

  /** The user may have come while others were asked. */
  #deliverHere(group: Group): boolean {
    const held = this.#options.table.get(group.user);
    if (held === undefined) return false;
    deliverTo(held, group.batch, group.places, new Uint16Array(group.batch.length), group.receipts);
    return true;
  }

  #refuse(group: Group, owner: Member): undefined {
    this.#options.counters.notOwner += group.places.length;
    const { fingerprint } = this.#options.ownership.state.ring;
    return settle(group, 'not-owner', { owner: owner.id, fingerprint });
  }

  #forward(group: Group, to: Member, passage: Passage, noForward: boolean): Promise<readonly Forwarded[]> {
    const { forwarder, counters, now, forwardTimeoutMs } = this.#options;
    counters.forwarded += group.places.length;
    const messages = group.places.map((i) => group.batch[i]!);
    const deadline = Math.min(passage.deadline, now() + forwardTimeoutMs);
    return forwarder.forward(to, messages, { hops: passage.hops + 1, noForward, deadline });
  }
}

/** The messages of one batch for one user: they go one way together, and so stay in order. */
interface Group {
  readonly user: string;
  readonly batch: readonly Message[];
  readonly places: readonly number[];
  readonly receipts: Receipts;
}

type Failure = Extract<Forwarded, { failed: ErrorCode }>;

/** What of a group got no receipt, or one that says that the user is not there. */
interface Rest {
  readonly failed: Failed | undefined;
  readonly notThere: number[];
}

interface Failed {
  readonly group: Group;
  readonly why: Failure;
}

/** Takes over every receipt that settles its message. A large group may have been cut, and a part of it delivered. */
function adopt(group: Group, ends: readonly Forwarded[]): Rest {
  const notThere: number[] = [];
  const places: number[] = [];
  let why: Failure | undefined;
  for (const [i, place] of group.places.entries()) {
    const end = ends[i]!;
    if ('failed' in end) {
      places.push(place);
      why = end;
      continue;
    }
    const { user: _, status, sessions, ...detail } = end;
    group.receipts.set(place, status, sessions, Object.keys(detail).length === 0 ? undefined : detail);
    if (status === 'not-owner' || status === 'offline') notThere.push(place);
  }
  return { failed: why === undefined ? undefined : { group: { ...group, places }, why }, notThere };
}

function settleFailed({ group, why }: Failed): void {
  settle(group, 'overloaded', errorDetail(why.failed, why.why));
}

function settle(group: Group, status: ReceiptStatus, detail?: ReceiptDetail): undefined {
  for (const i of group.places) group.receipts.set(i, status, 0, detail);
  return undefined;
}

function errorDetail(code: ErrorCode, message: string): ReceiptDetail {
  return { error: { code, message } };
}
