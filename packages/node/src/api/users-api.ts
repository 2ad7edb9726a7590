import { type HeldUser, type Holder, holdersToAsk, LinkSession, sentOnTo } from '@pinwheel/holder';
import type { Member } from '@pinwheel/membership';
import {
  type CloseCode,
  closeCodes,
  decodeUserId,
  headers,
  maxHops,
  PinwheelError,
  queryText,
} from '@pinwheel/protocol';
import { type NodeClients, timelyMs } from '@pinwheel/sender';
import type { NodeCounters } from '../counters/node-counters.js';
import type { Passage } from '../delivery/passage.js';
import { checkParameters } from '../http/check-parameters.js';
import type { Exchange } from '../http/exchange.js';
import { readPassage } from '../http/read-passage.js';
import { askEverywhere, type NodeAnswer } from './ask-everywhere.js';
import { otherNodes } from './other-nodes.js';

export interface UsersApiOptions {
  readonly self: string;
  readonly holder: Holder;
  readonly clients: NodeClients;
  readonly counters: NodeCounters;
  readonly now: () => number;
  readonly deadlineMs: number;
  /** Whether a user's sessions may be at several nodes: then all of them are asked. */
  readonly isAnywhere: boolean;
}

const maxReasonBytes = 123;
/** Of the time of a question, for a copy's source to say what became of it. */
const settlingPart = 0.5;

/** `GET /v1/users/{user}` and `DELETE /v1/users/{user}/sessions`: here, or where the user is. */
export class UsersApi {
  readonly #options: UsersApiOptions;

  constructor(options: UsersApiOptions) {
    this.#options = options;
  }

  async presence(exchange: Exchange, encodedUser: string): Promise<void> {
    this.#options.counters.requests.presence++;
    const user = decodeUserId(encodedUser);
    const here = (): Body | undefined => {
      const held = this.#options.holder.users.get(user);
      return held === undefined ? undefined : this.#presenceOf(held);
    };
    const nowhere = { user, holder: this.#options.self, online: false, sessions: [] };
    await this.#answer(exchange, user, here, nowhere, presenceOfAll);
  }

  async disconnect(exchange: Exchange, encodedUser: string): Promise<void> {
    this.#options.counters.requests.disconnect++;
    const user = decodeUserId(encodedUser);
    const wanted = readClose(exchange.query);
    const here = (): Body | undefined => {
      const held = this.#options.holder.users.get(user);
      return held === undefined ? undefined : { user, closed: closeSessions(held, wanted) };
    };
    await this.#answer(exchange, user, here, { user, closed: 0 }, closedByAll);
  }

  #presenceOf(held: HeldUser): Body {
    const isAway = (session: unknown): boolean =>
      session instanceof LinkSession && session.link === undefined;
    const sessions = held.sessions.map((session) => ({
      session: session.id,
      ...(session.edge === undefined ? {} : { edge: session.edge }),
      since: new Date(session.since).toISOString(),
      ...(isAway(session) ? { away: true } : {}),
    }));
    const online = held.sessions.some((session) => !isAway(session));
    return { user: held.user, holder: this.#options.self, online, sessions };
  }

  /**
   * The rules for messages, for a single question.
   *
   * @param here the answer when the user is here, else `undefined`.
   * @param nowhere the answer when nobody holds the user.
   * @param merge makes one answer of several nodes', where a user may be at several.
   */
  async #answer(
    exchange: Exchange,
    user: string,
    here: () => Body | undefined,
    nowhere: Body,
    merge: (answers: readonly NodeAnswer[], nowhere: Body) => Body,
  ): Promise<void> {
    const { holder, now, deadlineMs, isAnywhere } = this.#options;
    const passage = readPassage(exchange, now(), deadlineMs);
    const call: Call = { method: exchange.method, target: targetOf(exchange), passage };
    await this.#settle(user, passage);
    if (isAnywhere && !passage.noForward) {
      const own = { node: this.#options.self, body: here() ?? nowhere };
      return exchange.json(200, merge([own, ...(await this.#askOthers(call))], nowhere));
    }
    const found = here();
    if (found !== undefined) return exchange.json(200, found);
    // where a user may be at several nodes, one that is asked alone speaks of itself
    if (isAnywhere) return exchange.json(200, nowhere);
    const to = sentOnTo(holder.users.known(user), holder.ownership.state.members);
    const where = holder.ownership.whereabouts(user);
    const stop = passage.noForward || passage.hops >= maxHops;
    switch (where.kind) {
      case 'nobody':
        throw new PinwheelError('unavailable', 'the ring has no owner for this user');
      case 'theirs': {
        if (stop) return this.#refuse(exchange, where.owner);
        // where the user went from here it may be still, and the owner would ask there last
        const there = to === undefined || to === where.owner ? undefined : await this.#askIn(call, to);
        const { status, body } = there ?? (await this.#ask(call, where.owner, false));
        return exchange.send(status, 'application/json', body);
      }
      case 'mine': {
        const members = holdersToAsk(to, where.before);
        if (stop && members.length > 0) return this.#refuse(exchange, members[0]!);
        for (const member of members) {
          const answer = await this.#askHolder(call, member);
          if (answer !== undefined && isOfTheUser(answer))
            return exchange.send(answer.status, 'application/json', answer.body);
        }
        // the user may have come while others were asked
        await this.#settle(user, passage);
        const late = here();
        if (late === undefined && holder.ownership.isAwaited(user)) throw awaited();
        return exchange.json(200, late ?? nowhere);
      }
      default:
        throw new TypeError(`unknown whereabouts ${where satisfies never}`);
    }
  }

  /** What a member knows of the user by itself; `undefined` when that is nothing, or it does not answer in half of the time. */
  async #askIn(call: Call, member: Member): Promise<Answered | undefined> {
    const { passage, method } = call;
    const now = this.#options.now();
    const half = { ...passage, deadline: now + (passage.deadline - now) / 2 };
    try {
      const answer = await this.#ask({ ...call, passage: half }, member, true);
      return isOfTheUser(answer) ? answer : undefined;
    } catch (thrown) {
      // whether it has closed sessions nobody else knows
      if (method === 'DELETE') throw thrown;
      return undefined;
    }
  }

  /** `undefined`: it has left. */
  async #askHolder(call: Call, member: Member): Promise<Answered | undefined> {
    try {
      return await this.#ask(call, member, true);
    } catch (thrown) {
      const isGone = PinwheelError.from(thrown).code === 'unreachable';
      if (isGone && this.#options.holder.ownership.hasLeft(member)) return undefined;
      throw thrown;
    }
  }

  /** A copy that waits for its source's word serves nobody yet, and may have sessions: the source is asked for it. */
  async #settle(user: string, { deadline }: Passage): Promise<void> {
    const { holder, now } = this.#options;
    const known = holder.users.known(user);
    if (known?.kind !== 'prepared' && (known?.kind !== 'held' || known.incoming === undefined)) return;
    // the answer has to be on its way by then
    const waitMs = Math.max(0, (deadline - now()) * settlingPart);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, waitMs);
    });
    await Promise.race([holder.attaching.settleCopy(user), late]).finally(() => clearTimeout(timer));
    if (holder.users.known(user)?.kind === 'prepared') throw onTheMove();
  }

  #askOthers(call: Call): Promise<readonly NodeAnswer[]> {
    return askEverywhere(otherNodes(this.#options.holder), (member) => this.#ask(call, member, true));
  }

  #refuse(exchange: Exchange, owner: Member): void {
    const { fingerprint } = this.#options.holder.ownership.state.ring;
    const error = new PinwheelError('not-owner', `the user belongs to member ${owner.id}`);
    exchange.json(421, { ...error.toJSON(), owner: owner.id, fingerprint }, { [headers.owner]: owner.id });
  }

  #ask({ method, target, passage }: Call, member: Member, noForward: boolean): Promise<Answered> {
    const { clients, now } = this.#options;
    const deadlineMs = timelyMs(passage.deadline - now());
    return clients.of(member).call(method, target, { deadlineMs, hops: passage.hops + 1, noForward });
  }
}

function onTheMove(): PinwheelError {
  return new PinwheelError('unavailable', 'the user is on the way here; try again');
}

function awaited(): PinwheelError {
  const why = 'a node has died, and whether this user was there shows in a moment; try again';
  return new PinwheelError('unavailable', why);
}

/** A request as other nodes are asked it. */
interface Call {
  readonly method: string;
  readonly target: string;
  readonly passage: Passage;
}

interface Answered {
  readonly status: number;
  readonly body: string;
}

/** What a caller has not percent-encoded of the query is: it would be written otherwise, or not at all. */
function targetOf({ path, query }: Exchange): string {
  return query === '' ? path : `${path}?${query.replace(/[^\x21-\x7e]+/g, encodeURIComponent)}`;
}

/** An answer about one user, as it is said. */
type Body = Readonly<Record<string, unknown>>;

/** Every node's sessions, each with its node; `holder` is one that has some. `silent`: nodes that did not answer. */
function presenceOfAll(answers: readonly NodeAnswer[], nowhere: Body): Body {
  const sessions: unknown[] = [];
  let { holder, online } = nowhere;
  for (const answer of answers) {
    if (!('body' in answer)) continue;
    for (const session of answer.body['sessions'] as readonly object[]) {
      if (sessions.length === 0) holder = answer.node;
      sessions.push({ ...session, node: answer.node });
    }
    if (answer.body['online'] === true) online = true;
  }
  return { ...nowhere, holder, online, sessions, ...silentOf(answers) };
}

function closedByAll(answers: readonly NodeAnswer[], nowhere: Body): Body {
  let closed = 0;
  for (const answer of answers) if ('body' in answer) closed += Number(answer.body['closed']);
  return { ...nowhere, closed, ...silentOf(answers) };
}

function silentOf(answers: readonly NodeAnswer[]): Body {
  const silent = answers.filter((answer) => 'error' in answer);
  return silent.length === 0 ? {} : { silent };
}

function closeSessions(held: HeldUser, { session: only, close, reason }: WantedClose): number {
  const closing = held.sessions.filter((session) => only === undefined || session.id === only);
  for (const session of closing) session.close(close, reason);
  return closing.length;
}

interface WantedClose {
  readonly session: string | undefined;
  readonly close: Pick<CloseCode, 'code' | 'name'>;
  readonly reason: string;
}

function readClose(query: string): WantedClose {
  const text = (name: string): string | undefined => queryText(query, name);
  checkParameters(query, ['session', 'code', 'reason']);
  const code = Number(text('code') ?? closeCodes.disconnected.code);
  if (!(code === 1000 || (Number.isInteger(code) && code >= 3000 && code <= 4999))) {
    throw new PinwheelError(
      'bad-request',
      `code is ${text('code')}; it must be 1000 or between 3000 and 4999`,
    );
  }
  const reason = text('reason') ?? closeCodes.disconnected.reason;
  if (Buffer.byteLength(reason) > maxReasonBytes) {
    const bytes = Buffer.byteLength(reason);
    throw new PinwheelError(
      'bad-request',
      `reason has ${bytes} bytes; it must have at most ${maxReasonBytes}`,
    );
  }
  return { session: text('session'), close: { code, name: closeCodes.disconnected.name }, reason };
}

/** Whether whoever answered has sessions of the user, be they away. */
function isOfTheUser({ status, body }: Answered): boolean {
  if (status === 421) return false;
  const { sessions, closed } = JSON.parse(body) as { sessions?: readonly unknown[]; closed?: unknown };
  return sessions?.length !== 0 && closed !== 0;
}
