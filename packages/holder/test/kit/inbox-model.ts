import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { Inbox } from '../../src/inbox/inbox.js';
import { InboxBudget } from '../../src/inbox/inbox-budget.js';
import type { InboxLimits } from '../../src/inbox/inbox-limits.js';
import { headBytes } from '../../src/inbox/inbox-record.js';

const historySeconds = 60;
const historyMessages = 256;

interface Entry {
  readonly seq: number;
  readonly id: string;
  readonly binary: boolean;
  readonly data: Uint8Array;
  readonly second: number;
  readonly sessions: number;
}

/** An inbox as arrays. */
interface Model {
  readonly limits: InboxLimits;
  /** Whether the memory of the node is never used up. */
  readonly isAmple: boolean;
  kept: readonly Entry[];
  history: readonly Entry[];
  next: number;
  second: number;
}

interface Real {
  readonly budget: InboxBudget;
  readonly inbox: Inbox;
}

/** @param budgetBytes the memory of the node; without it there is always enough. */
export function startInbox(limits: InboxLimits, budgetBytes?: number): { model: Model; real: Real } {
  const budget = new InboxBudget(budgetBytes ?? Number.POSITIVE_INFINITY);
  const inbox = new Inbox(budget, limits, 1);
  const isAmple = budgetBytes === undefined;
  return {
    model: { limits, isAmple, kept: [], history: [], next: 1, second: 100 },
    real: { budget, inbox },
  };
}

function same(what: string, got: unknown, wanted: unknown): void {
  if (isDeepStrictEqual(got, wanted)) return;
  throw new Error(`${what}: ${JSON.stringify(got)} is not ${JSON.stringify(wanted)}`);
}

const bytesOf = ({ id, data }: Entry): number => headBytes + id.length + data.length;
const keptBytes = ({ kept }: Model): number => kept.reduce((sum, entry) => sum + bytesOf(entry), 0);

function hasRoom(model: Model, dataBytes: number): boolean {
  const { maxMessages, maxBytes } = model.limits;
  return model.kept.length < maxMessages && keptBytes(model) + headBytes + 64 + dataBytes <= maxBytes;
}

function letGo(model: Model, count = 1): void {
  model.history = [...model.history, ...model.kept.slice(0, count)];
  model.kept = model.kept.slice(count);
}

/** Memory ran out: more than the model knows of may have gone, but always the oldest. */
function adopt(model: Model, { inbox }: Real): void {
  if (model.isAmple) return;
  letGo(model, model.kept.filter(({ seq }) => seq < inbox.firstKept).length);
}

function compare(model: Model, { inbox, budget }: Real): void {
  same('next', inbox.next, model.next);
  same('firstKept', inbox.firstKept, model.kept[0]?.seq ?? model.next);
  same('keptMessages', inbox.keptMessages, model.kept.length);
  same('keptBytes', inbox.keptBytes, keptBytes(model));
  same('budget', budget.bytes, inbox.memoryBytes);
  const kept = [...inbox.after(0)].map(({ data, origins, ...rest }) => ({
    ...rest,
    data: Uint8Array.from(data),
  }));
  same(
    'kept',
    kept,
    model.kept.map(({ seq, id, binary, data }) => ({ seq, id, binary, data })),
  );
}

/** Of history more may be known than has to be, because it is thrown away late; but nothing that is wrong. */
function compareIds({ kept, history, second, isAmple }: Model, { inbox }: Real): void {
  for (const { id, seq, sessions } of kept) same(`find ${id}`, inbox.find(id), { seq, sessions });
  const due = isAmple
    ? history.slice(-historyMessages).filter((entry) => entry.second + historySeconds >= second)
    : [];
  for (const { id, seq, sessions } of due) same(`find ${id}`, inbox.find(id), { seq, sessions });
  const seen = inbox.seen(second, historyMessages).map(({ id }) => id);
  const known = history.filter((entry) => entry.second + historySeconds >= second).map(({ id }) => id);
  same('seen', seen, known.slice(known.length - seen.length));
  if (seen.length < due.length) throw new Error(`${seen.length} of ${due.length} were seen`);
}

type Command = fc.Command<Model, Real>;

/** @param run changes both. */
function command(name: string, run: (model: Model, real: Real) => void): Command {
  return {
    check: () => true,
    run: (model, real) => {
      run(model, real);
      compare(model, real);
    },
    toString: () => name,
  };
}

interface Arriving {
  readonly binary: boolean;
  readonly sessions: number;
  readonly length: number;
}

/** Most messages are small; now and then one is near or above the bound. */
const arriving = ({ maxBytes }: InboxLimits): fc.Arbitrary<Arriving> =>
  fc.record({
    binary: fc.boolean(),
    sessions: fc.nat(300),
    length: fc.oneof({ weight: 6, arbitrary: fc.nat(60) }, { weight: 1, arbitrary: fc.nat(maxBytes + 20) }),
  });

function entryOf({ next: seq, second }: Model, { binary, sessions, length }: Arriving): Entry {
  const data = Uint8Array.from({ length }, (_, i) => (i * 7 + seq) & 255);
  return {
    seq,
    id: `${'x'.repeat(seq % 60)}${seq}`,
    binary,
    data,
    second,
    sessions: Math.min(254, sessions),
  };
}

export function inboxCommands(limits: InboxLimits): fc.Arbitrary<Iterable<Command>> {
  const append = arriving(limits).map((message) =>
    command(`append ${message.length}`, (model, { inbox, ...real }) => {
      const entry = entryOf(model, message);
      inbox.append(entry.id, entry.binary, entry.data, entry.second, message.sessions);
      while (model.kept.length > 0 && !hasRoom(model, message.length)) letGo(model);
      model.next++;
      if (hasRoom(model, message.length)) model.kept = [...model.kept, entry];
      if (!model.isAmple && inbox.firstKept === inbox.next)
        model.kept = model.kept.filter((one) => one !== entry);
      adopt(model, { inbox, ...real });
      const isPassedOver = !model.kept.includes(entry) && !model.history.includes(entry);
      if (isPassedOver && (model.isAmple || inbox.find(entry.id) !== undefined))
        model.history = [...model.history, entry];
    }),
  );
  const offer = arriving(limits).map((message) =>
    command(`offer ${message.length}`, (model, { inbox }) => {
      const entry = entryOf(model, message);
      const isKept = inbox.offer(entry.id, entry.binary, entry.data, entry.second, message.sessions);
      if (model.isAmple) same('offer', isKept, hasRoom(model, message.length));
      if (!isKept) return;
      model.next++;
      model.kept = [...model.kept, entry];
    }),
  );
  const release = fc.nat(12).map((count) =>
    command(`release ${count}`, (model, { inbox }) => {
      inbox.release(inbox.firstKept + count - 1);
      letGo(model, count);
    }),
  );
  const skip = fc.constant(
    command('skip', (model, { inbox }) => {
      inbox.skip();
      letGo(model, model.kept.length);
      model.next++;
    }),
  );
  const pass = fc.nat(40).map((seconds) =>
    command(`pass ${seconds} s`, (model) => {
      model.second += seconds;
    }),
  );
  const expire = fc.nat(8).map((seconds) =>
    command(`expire ${seconds} s`, (model, { inbox }) => {
      const old = model.kept.filter(({ second }) => second < model.second - seconds).length;
      same('expired', inbox.expire(model.second - seconds), old > 0);
      letGo(model, old);
    }),
  );
  const shrink = fc.constant(
    command('shrink', (model, { inbox }) => {
      inbox.shrink(model.second);
      const isNeeded = [...model.kept, ...model.history].some(
        ({ second }) => second + historySeconds >= model.second,
      );
      if (model.kept.length === 0 && !isNeeded) same('memory', inbox.memoryBytes, 0);
    }),
  );
  const look = fc.constant(command('look', compareIds));
  const clear = fc.constant(
    command('clear', (model, { inbox }) => {
      inbox.clear();
      same('memory', inbox.memoryBytes, 0);
      model.kept = model.history = [];
    }),
  );
  const many = [append, append, append, append, offer, offer, release, release, pass, look, look];
  return fc.commands([...many, expire, shrink, skip, clear], { maxCommands: 200, size: 'max' });
}
