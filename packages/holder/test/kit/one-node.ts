import { type AttachRequest, type Message, type Position, type Receipt, Receipts } from '@pinwheel/protocol';
import { FakeClock } from '../../../sender/test/kit/fake-clock.js';
import { InboxBudget } from '../../src/inbox/inbox-budget.js';
import { deliver, type Missing } from '../../src/users/delivery.js';
import type { HeldUser } from '../../src/users/held-user.js';
import type { LinkSession } from '../../src/users/link-session.js';
import type { Session } from '../../src/users/session.js';
import { Users } from '../../src/users/users.js';
import type { FakeLink } from './fake-link.js';

export interface OneNodeOptions {
  readonly maxMessages?: number;
  readonly maxBytes?: number;
  readonly budgetBytes?: number;
  /** How its streams are called, before their number. */
  readonly streams?: string;
}

let numbers = 0;
let ids = 0;

/** The users of one node, without rings and other nodes. */
export class OneNode {
  readonly clock = new FakeClock();
  readonly budget: InboxBudget;
  readonly users: Users;
  readonly ended: { readonly session: string; readonly code: number; readonly reason: string }[] = [];
  readonly forgotten: string[] = [];
  #streams = 0;

  constructor(options: OneNodeOptions = {}) {
    const { maxMessages = 256, maxBytes = 262_144, budgetBytes = 1_000_000, streams = 's' } = options;
    this.budget = new InboxBudget(budgetBytes);
    this.users = new Users({
      now: this.clock.now,
      newStream: () => `${streams}${++this.#streams}`,
      budget: this.budget,
      limits: { maxMessages, maxBytes },
      resumeWindowMs: 60_000,
      plainWindowMs: 10_000,
      forgotten: ({ user }) => this.forgotten.push(user),
      sessionEnded: ({ id }, code, reason) => this.ended.push({ session: id, code, reason }),
    });
  }

  get second(): number {
    return Math.floor(this.clock.now() / 1000);
  }

  hold(user = 'alice'): HeldUser {
    return this.users.hold(user, 1);
  }

  /** Delivers texts, all in one batch; gives the receipts. */
  send(held: HeldUser, ...texts: readonly string[]): readonly Receipt[] {
    return this.deliver(texts.map((text) => messageTo(held.user, text))).receipts;
  }

  deliver(batch: readonly Message[]): { readonly receipts: readonly Receipt[]; readonly missing: Missing } {
    const receipts = new Receipts(batch.length);
    const missing = deliver(this.users, batch, receipts, this.second);
    return { receipts: batch.map(({ user }, i) => receipts.receipt(i, user)), missing };
  }

  /** So many seconds, with a sweep each. */
  async sweepFor(seconds: number): Promise<void> {
    for (let i = 0; i < seconds; i++) {
      await this.clock.pass(1000);
      this.users.sweep(1);
      this.users.forgetOld();
    }
  }
}

export function messageTo(user: string, text: string, fields: Partial<Message> = {}): Message {
  return {
    user,
    data: Buffer.from(text),
    binary: false,
    id: `id-${++ids}`,
    waitForClient: false,
    repeated: false,
    ...fields,
  };
}

/** An ATTACH of a `pinwheel.v1` client that connects for the first time, if nothing else is said. */
export function attachRequest(key: string, fields: Partial<AttachRequest> = {}): AttachRequest {
  return {
    session: ++numbers,
    acknowledges: true,
    resumes: fields.positions !== undefined,
    epoch: 1,
    key,
    user: 'alice',
    fingerprint: '',
    handoff: '',
    positions: [],
    ...fields,
  };
}

/** Attaches as a node does: what was missed follows. */
export function attach(
  held: HeldUser,
  link: FakeLink,
  key: string,
  fields: Partial<AttachRequest> = {},
): { readonly session: LinkSession; readonly seq: number; readonly recovered: boolean } {
  const attachment = held.attach(attachRequest(key, { user: held.user, ...fields }), link);
  if (attachment === undefined) throw new Error(`a newer connection of ${key} is attached`);
  held.catchUp(attachment.session);
  return attachment;
}

/** In the present stream of the user. */
export function here(held: HeldUser, seq: number): readonly Position[] {
  return [{ stream: held.stream, seq }];
}

/** A session whose client's socket ends at the node. */
export class DirectSession implements Session {
  readonly kind = 'direct';
  readonly id: string;
  readonly user: string;
  readonly since = 0;
  readonly edge = undefined;
  readonly texts: string[] = [];
  readonly held: HeldUser;
  isLive = true;
  /** Though it seems to take what is written. */
  isFull = false;

  constructor(held: HeldUser, id: string) {
    this.held = held;
    this.id = id;
    this.user = held.user;
    held.addSession(this);
  }

  write(batch: readonly Message[], picked: readonly number[], _firstSeq: number, written: Uint16Array): void {
    if (!this.isLive || this.isFull) return;
    for (const i of picked) {
      this.texts.push(Buffer.from(batch[i]!.data).toString());
      written[i]!++;
    }
  }

  close({ code }: { readonly code: number }, reason: string): void {
    this.held.ended(this, code, reason);
  }
}
