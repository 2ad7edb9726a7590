import { numberedMessage } from '@pinwheel/bench/load/message-number.js';
import { anyOf, userNames } from '@pinwheel/bench/load/users.js';
import { EdgeFrameWriter, type Message, NodeFrameWriter, Receipts, readEdgeFrames } from '@pinwheel/protocol';
import { Inbox } from '../../packages/holder/src/inbox/inbox.js';
import { InboxBudget } from '../../packages/holder/src/inbox/inbox-budget.js';
import { deliver } from '../../packages/holder/src/users/delivery.js';
import type { LinkSession, SessionLink } from '../../packages/holder/src/users/link-session.js';
import { Users } from '../../packages/holder/src/users/users.js';
import { hand } from '../kit/fresh-process.js';

/** One turn of a node: a batch of messages, and the acknowledgements of the one before. */
type Turn = () => void;

const names = userNames(1000);
const batchMessages = 2048;
const measureMs = process.argv.includes('--quick') ? 500 : 2000;
const second = 1;
const limits = { maxMessages: 256, maxBytes: 262_144 };
const ignore = (): void => {};

const batch: readonly Message[] = Array.from({ length: batchMessages }, makeMessage(anyOf(names)));

function makeMessage(next: () => string): (unused: unknown, i: number) => Message {
  return (_unused, i) => ({
    user: next(),
    data: Buffer.from(numberedMessage(i)),
    binary: false,
    id: `aBcDeFgHiJ-${1_000_000 + i}`,
    waitForClient: false,
    repeated: false,
  });
}

const turns: Readonly<Record<string, () => Turn>> = {
  /** Written, encoded, and decoded by whoever sent the batch. */
  receipts: () => () => {
    const receipts = new Receipts(batchMessages);
    for (let i = 0; i < batchMessages; i++) receipts.set(i, 'delivered', 1);
    Receipts.decode(receipts.encode(), batchMessages);
  },
  /** Who is where, and which messages of the batch are for the same user. */
  table: () => {
    const { users } = attachedUsers();
    return () => {
      const here = [];
      for (let i = 0; i < batchMessages; i++) {
        const known = users.known(batch[i]!.user);
        if (known?.kind !== 'held') throw new Error('everybody is held');
        if (known.picked.length === 0) here.push(known);
        known.picked.push(i);
      }
      for (const held of here) held.picked.splice(0);
    };
  },
  /** A number for each message, and nothing kept. */
  numbers: () => {
    const inboxes = inboxOfEach();
    return () => {
      for (const { user } of batch) inboxes.get(user)!.skip();
    };
  },
  /** The same, and each kept until it is acknowledged. */
  inbox: () => {
    const inboxes = inboxOfEach();
    return () => {
      for (const { user, id, binary, data } of batch) inboxes.get(user)!.append(id, binary, data, second, 1);
      for (const { user } of batch) {
        const inbox = inboxes.get(user)!;
        inbox.release(inbox.next - 1);
      }
    };
  },
  /** An edge's frames, one for each user of the batch, read and heard. */
  acknowledgements: () => {
    const { sessions, acknowledge } = attachedUsers();
    const receivers = [...new Set(batch.map(({ user }) => sessions.get(user)!))];
    return () => {
      for (const session of receivers) {
        session.held.inbox!.skip();
        session.written++;
      }
      acknowledge(receivers);
    };
  },
  /** The frames of the messages, in one link message. */
  frames: () => {
    const writer = new NodeFrameWriter();
    return () => {
      for (const { id, binary, data } of batch) writer.message(1, 1, id, binary, data);
      writer.take();
    };
  },
  /** All of it, as a node does it. */
  all: () => {
    const { users, sessions, writer, acknowledge } = attachedUsers();
    const receivers = [...new Set(batch.map(({ user }) => sessions.get(user)!))];
    return () => {
      const receipts = new Receipts(batchMessages);
      const missing = deliver(users, batch, receipts, second);
      if (missing.size > 0 || receipts.status(0) !== 'delivered') throw new Error('not delivered');
      writer.take();
      Receipts.decode(receipts.encode(), batchMessages);
      acknowledge(receivers);
    };
  },
};

function inboxOfEach(): ReadonlyMap<string, Inbox> {
  const budget = new InboxBudget(268_435_456);
  return new Map(names.map((name) => [name, new Inbox(budget, limits, 1)]));
}

function attachedUsers() {
  const users = new Users({
    now: () => 0,
    newStream: () => 'stream',
    budget: new InboxBudget(268_435_456),
    limits,
    resumeWindowMs: 60_000,
    plainWindowMs: 10_000,
    forgotten: ignore,
    sessionEnded: ignore,
  });
  const writer = new NodeFrameWriter();
  const numbered: LinkSession[] = [];
  const link: SessionLink = {
    edge: 'e1',
    isOpen: true,
    message: (session, seq, id, binary, data) => writer.message(session, seq, id, binary, data),
    reply: ignore,
    gap: ignore,
    end: ignore,
    receipt: ignore,
    taken: ignore,
    repin: ignore,
  };
  const sessions = new Map<string, LinkSession>();
  names.forEach((user, session) => {
    const request = {
      ...{ session, acknowledges: true, resumes: false, epoch: 1, key: `key-of-${user}-in-16`, user },
      ...{ fingerprint: '', handoff: '', positions: [] },
    };
    const attached = users.hold(user, session).attach(request, link)!.session;
    numbered.push(attached);
    sessions.set(user, attached);
  });
  const edge = new EdgeFrameWriter();
  const heard = {
    ack: (session: number, seq: number) => numbered[session]!.held.acknowledged(numbered[session]!, seq),
  };
  const acknowledge = (all: readonly LinkSession[]): void => {
    for (const { number, written } of all) edge.ack(number, written);
    readEdgeFrames(edge.take(), heard as Parameters<typeof readEdgeFrames>[1]);
  };
  return { users, sessions, writer, acknowledge };
}

const [contender] = process.argv.slice(2);
const turn = turns[contender!]!();
const end = performance.now() + measureMs / 2;
while (performance.now() < end) turn();
const start = process.cpuUsage();
let done = 0;
for (const until = performance.now() + measureMs; performance.now() < until; done++) turn();
const { user, system } = process.cpuUsage(start);
hand({ nsPerMessage: ((user + system) * 1000) / (done * batchMessages) });
