import { performance } from 'node:perf_hooks';
import { PinwheelError, type ReceiptDetail, Receipts } from '@pinwheel/protocol';
import { nodeName, type Posted, type RegistryStrategy, topics } from '@pinwheel/strategy';
import type { Outcome } from './batch-answer.js';
import { inDoubt } from './last-words.js';
import type { Pending } from './pending.js';
import { detailOf, failureOfAll } from './post-outcomes.js';
import { QueueTransport } from './queue-transport.js';
import { QueueWriters } from './queue-writers.js';

/** Cleaning up is for the next message's sake: it must not take this one's time. */
const cleanDeadlineMs = 1000;

/** Places in a batch, by the node that has their users. */
type Parts = ReadonlyMap<string, readonly number[]>;

/** Reads where users are and posts to those nodes' own topics, which answers nothing. */
export class RegistryTransport extends QueueTransport<RegistryStrategy> {
  readonly #writers = new QueueWriters();

  protected async outcomeOf(batch: readonly Pending[], deadlineMs: number): Promise<Outcome> {
    const start = performance.now();
    try {
      const parts = await this.#find(batch, deadlineMs);
      const left = deadlineMs - (performance.now() - start);
      return this.#outcome(batch, parts, await this.#publish(batch, parts, left));
    } catch (thrown) {
      return { kind: 'failed', error: PinwheelError.from(thrown) };
    } finally {
      this.observe((performance.now() - start) / 1000);
    }
  }

  async #find(batch: readonly Pending[], deadlineMs: number): Promise<Parts> {
    const users = new Map<string, number[]>();
    for (let i = 0; i < batch.length; i++) {
      const places = users.get(batch[i]!.user);
      if (places === undefined) users.set(batch[i]!.user, [i]);
      else places.push(i);
    }
    const found = await this.#read([...users.keys()], deadlineMs);
    const parts = new Map<string, number[]>();
    let at = 0;
    for (const places of users.values()) {
      for (const name of found[at++]!) {
        const part = parts.get(name);
        if (part === undefined) parts.set(name, [...places]);
        else part.push(...places);
      }
    }
    // the order of the batch, which is that of each user's messages
    for (const part of parts.values()) part.sort((a, b) => a - b);
    return parts;
  }

  /** Nothing has been sent when it fails, whatever became of the question. */
  async #read(users: readonly string[], deadlineMs: number): Promise<readonly (readonly string[])[]> {
    try {
      return await this.strategy.routes.read(users, deadlineMs);
    } catch (thrown) {
      const { code, message } = PinwheelError.from(thrown);
      throw inDoubt.has(code) ? new PinwheelError('unavailable', message, { cause: thrown }) : thrown;
    }
  }

  async #publish(batch: readonly Pending[], parts: Parts, deadlineMs: number): Promise<readonly Posted[]> {
    if (parts.size === 0) return [];
    const posts = [...parts].map(([name, part]) => {
      const bytes = this.#writers.write(part.map((i) => batch[i]!));
      this.traffic.copies += part.length;
      this.traffic.bytes += bytes.length;
      return { topic: topics.node(this.strategy, nodeName.incarnation(name)), bytes };
    });
    const posted = await this.strategy.queue.publish(posts, deadlineMs);
    this.#writers.release(posted.every(({ kind }) => kind === 'taken'));
    return posted;
  }

  #outcome(batch: readonly Pending[], parts: Parts, posted: readonly Posted[]): Outcome {
    const failed = failureOfAll(posted);
    if (failed !== undefined) return failed;
    const receipts = new Receipts(batch.length);
    const why = new Map<number, ReceiptDetail>();
    for (let i = 0; i < batch.length; i++) receipts.set(i, 'offline');
    let at = 0;
    for (const [name, part] of parts) {
      const end = posted[at++]!;
      const detail = end.kind === 'failed' ? detailOf(end.error) : this.#stale(name, end.receivers);
      if (detail === undefined) for (const i of part) receipts.set(i, 'published');
      else for (const i of part) why.set(i, detail);
      if (end.kind === 'taken' && detail !== undefined) this.#clean(name, batch, part);
    }
    for (const [i, detail] of why) {
      if (receipts.status(i) !== 'published') receipts.set(i, 'overloaded', 0, detail);
    }
    return { kind: 'answered', receipts, foreignUsers: 0, fingerprint: '', turn: 0 };
  }

  #stale(name: string, receivers: number | undefined): ReceiptDetail | undefined {
    if (receivers !== 0) return undefined;
    const message = `the registry names node ${nodeName.id(name)}, which does not listen; its route is removed`;
    return { error: { code: 'unavailable', message } };
  }

  /** A route to nobody goes now, rather than with its lease. A node that lives writes it down again by itself. */
  #clean(name: string, batch: readonly Pending[], part: readonly number[]): void {
    const { routes, leaseMs = cleanDeadlineMs } = this.strategy;
    const gone = [...new Set(part.map((i) => batch[i]!.user))];
    routes.write(name, { here: [], gone }, leaseMs, cleanDeadlineMs).catch(() => {
      // its lease ends it
    });
  }
}
