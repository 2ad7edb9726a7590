import { performance } from 'node:perf_hooks';
import { type ErrorCode, PinwheelError, type ReceiptDetail } from '@pinwheel/protocol';
import {
  nodeName,
  type Posted,
  type RegistryStrategy,
  type Route,
  topics,
  type UserRoute,
} from '@pinwheel/strategy';
import { inDoubt } from './last-words.js';
import type { Pending } from './pending.js';
import { detailOf, failed, type PostOutcome, told } from './post-outcomes.js';
import { QueueTransport } from './queue-transport.js';
import { QueueWriters } from './queue-writers.js';

/** Cleaning up is for the next message's sake: it must not take this one's time. */
const cleanDeadlineMs = 1000;

/**
 * So long, in ms, a user whose route has led to nobody is not called absent: a node that lost the queue for a moment writes
 * its routes again when it is back.
 */
const awaitedForMs = 2000;

/**
 * So long, in ms, nobody without a route is called absent after the registry could not be reached: it may have lost everything,
 * and nodes connect to it again within two seconds and write down whom they have.
 */
const refilledWithinMs = 3000;
/** The connection to the registry was not there, or broke. */
const away: ReadonlySet<ErrorCode> = new Set(['unreachable', 'unknown-outcome']);

/** What became of a message: it failed, or it has not been taken for a reason that its receipt says. */
type End = 'published' | 'offline' | ReceiptDetail | PinwheelError;

interface Part {
  /** Places in the batch. */
  readonly places: number[];
  readonly routes: UserRoute[];
}

interface Found {
  /** By the node that has their users. */
  readonly parts: ReadonlyMap<string, Part>;
  /** Places of users of whom it is not known where they are, with what their receipts say. */
  readonly unknown: ReadonlyMap<number, ReceiptDetail>;
}

/** Reads where users are and posts to those nodes' own topics, which answers nothing. */
export class RegistryTransport extends QueueTransport<RegistryStrategy> {
  readonly #writers = new QueueWriters();
  /** Users whose route has led to nobody, and until when they are awaited: the oldest first. */
  readonly #awaited = new Map<string, number>();
  #refilledAt = 0;

  protected async outcomesOf(batch: readonly Pending[], deadlineMs: number): Promise<readonly PostOutcome[]> {
    const start = performance.now();
    try {
      const found = await this.#find(batch, deadlineMs);
      const left = deadlineMs - (performance.now() - start);
      return this.#outcomes(batch, found, await this.#post(batch, found, left));
    } catch (thrown) {
      return [failed(batch, PinwheelError.from(thrown))];
    } finally {
      this.observe((performance.now() - start) / 1000);
    }
  }

  async #find(batch: readonly Pending[], deadlineMs: number): Promise<Found> {
    const users = new Map<string, number[]>();
    for (let i = 0; i < batch.length; i++) {
      const places = users.get(batch[i]!.user);
      if (places === undefined) users.set(batch[i]!.user, [i]);
      else places.push(i);
    }
    const found = await this.#read([...users.keys()], deadlineMs);
    this.#forgetAwaited();
    const parts = new Map<string, Part>();
    const unknown = new Map<number, ReceiptDetail>();
    let at = 0;
    for (const [user, places] of users) {
      const routes = found[at++]!;
      if (routes instanceof PinwheelError) {
        for (const place of places) unknown.set(place, detailOf(routes));
        continue;
      }
      const why = routes.length === 0 ? this.#whyAwaited(user) : undefined;
      if (why !== undefined) for (const place of places) unknown.set(place, why);
      for (const { where, lease } of routes) {
        let part = parts.get(where);
        if (part === undefined) {
          part = { places: [], routes: [] };
          parts.set(where, part);
        }
        part.places.push(...places);
        part.routes.push({ user, lease });
      }
    }
    return { parts, unknown };
  }

  /** Why a user without a route may be there all the same. */
  #whyAwaited(user: string): ReceiptDetail | undefined {
    if (this.#awaited.has(user)) return routeLedNowhere;
    return performance.now() < this.#refilledAt ? maybeLost : undefined;
  }

  #forgetAwaited(): void {
    const now = performance.now();
    for (const [user, until] of this.#awaited) {
      if (until > now) return;
      this.#awaited.delete(user);
    }
  }

  /** Nothing has been sent when it fails, whatever became of the question. */
  async #read(
    users: readonly string[],
    deadlineMs: number,
  ): Promise<readonly (readonly Route[] | PinwheelError)[]> {
    try {
      return await this.strategy.routes.read(users, deadlineMs);
    } catch (thrown) {
      const { code, message } = PinwheelError.from(thrown);
      if (away.has(code)) this.#refilledAt = performance.now() + refilledWithinMs;
      throw inDoubt.has(code) ? new PinwheelError('unavailable', message, { cause: thrown }) : thrown;
    }
  }

  async #post(batch: readonly Pending[], { parts }: Found, deadlineMs: number): Promise<readonly Posted[]> {
    if (parts.size === 0) return [];
    const posts = [...parts].map(([name, { places }]) => {
      const bytes = this.#writers.write(places.map((i) => batch[i]!));
      this.traffic.copies += places.length;
      this.traffic.bytes += bytes.length;
      return { topic: topics.node(this.strategy, nodeName.incarnation(name)), bytes };
    });
    const messages = [...parts.values()].map(({ places }) => places);
    const posted = await this.publish(posts, messages, deadlineMs);
    this.#writers.release(posted.every(({ kind }) => kind === 'taken'));
    return posted;
  }

  /** A message was published when one of its user's nodes has it; else it has the failure of its own post, if there is one. */
  #outcomes(
    batch: readonly Pending[],
    { parts, unknown }: Found,
    posted: readonly Posted[],
  ): readonly PostOutcome[] {
    const ends = new Array<End>(batch.length).fill('offline');
    for (const [i, why] of unknown) ends[i] = why;
    let at = 0;
    for (const [name, { places, routes }] of parts) {
      const end = posted[at++]!;
      if (end.kind === 'failed') {
        for (const i of places) if (ends[i] !== 'published') ends[i] = end.error;
        continue;
      }
      const stale = this.#stale(name, end.receivers);
      if (stale === undefined) for (const i of places) ends[i] = 'published';
      else {
        for (const i of places) if (ends[i] === 'offline') ends[i] = stale;
        this.#clean(name, routes);
      }
    }
    return eachWith(batch, ends);
  }

  #stale(name: string, receivers: number | undefined): ReceiptDetail | undefined {
    if (receivers !== 0) return undefined;
    const message = `the registry names node ${nodeName.id(name)}, which does not listen; its route is removed`;
    return { error: { code: 'unavailable', message } };
  }

  /** A route to nobody goes now, rather than with its lease. A node that lives writes it down again by itself. */
  #clean(name: string, stale: readonly UserRoute[]): void {
    const until = performance.now() + awaitedForMs;
    for (const { user } of stale) {
      this.#awaited.delete(user);
      this.#awaited.set(user, until);
    }
    this.strategy.routes.remove(name, stale, cleanDeadlineMs).catch(() => {
      // its lease ends it
    });
  }
}

const routeLedNowhere = detailOf(
  new PinwheelError(
    'unavailable',
    'the route of the user led to a node that did not listen; it may be back soon',
  ),
);

const maybeLost = detailOf(
  new PinwheelError(
    'unavailable',
    'the registry was away, and may have lost where the user is; nodes write it down again',
  ),
);

function eachWith(batch: readonly Pending[], ends: readonly End[]): readonly PostOutcome[] {
  const failing = new Map<PinwheelError, Pending[]>();
  const others: number[] = [];
  for (let i = 0; i < batch.length; i++) {
    const end = ends[i]!;
    if (!(end instanceof PinwheelError)) others.push(i);
    else if (failing.has(end)) failing.get(end)!.push(batch[i]!);
    else failing.set(end, [batch[i]!]);
  }
  const messages = failing.size === 0 ? batch : others.map((i) => batch[i]!);
  const answered = told(messages, (receipts, place) => {
    const end = ends[others[place]!] as Exclude<End, PinwheelError>;
    if (typeof end === 'string') receipts.set(place, end);
    else receipts.set(place, 'overloaded', 0, end);
  });
  const failures = [...failing].map(([error, them]) => failed(them, error));
  return others.length === 0 ? failures : [answered, ...failures];
}
