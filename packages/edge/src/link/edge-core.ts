import { longestAwayMs } from '../longest-away.js';
import type { AttachQueue } from './attach-queue.js';
import { EdgeContext } from './edge-context.js';
import {
  clientHelloMs,
  type EdgeCoreOptions,
  resolveEdgeCoreOptions,
  unattachedMs,
} from './edge-core-options.js';
import { EdgeSession } from './edge-session.js';
import type { ClientPort, ClientSpeech, EdgeWorld } from './edge-world.js';
import type { LinkCounters } from './link-counters.js';
import type { Pin } from './pin.js';
import { sessionKeys } from './session-keys.js';

/** How the sessions and links of an edge are. */
export interface EdgeCoreStatus {
  readonly attached: number;
  /** Without a node, those whose client has yet to say hello among them. */
  readonly waiting: number;
  readonly paused: number;
  readonly linksUp: number;
  /** Those that are wanted, and not up. */
  readonly linksOpening: number;
}

const beatMs = 250;
/** What the client of a session that has ended has sent, and no node took within so long, reaches nobody. */
const partingMs = 30_000;
/** Within so long every session has had a turn; all at once would hold up everybody's messages, here and at the nodes. */
const acknowledgeMs = 1000;
/** A turn of the event loop closes this many: the others' messages go on in between. */
const closedPerTurn = 200;
/** The part of a drain's time that nodes have to close clients behind their messages; who is left then is closed here. */
export const leaveShare = 3 / 4;

/**
 * An edge without its sockets: the sessions of its clients, and the links that carry them. It is driven by calls and has
 * no clock of its own; what it does is a function of them and of the world that it is given.
 */
export class EdgeCore {
  readonly #context: EdgeContext;
  readonly #newKey: () => string;
  #cancelBeat: (() => void) | undefined;
  #cancelDrain: (() => void) | undefined;
  /** Goes on in the next turn where one turn did not end all who are overdue. */
  #overdue: Iterator<unknown> | undefined;
  #beatAt: number;
  #phase: 'open' | 'draining' | 'closed' = 'open';

  constructor(world: EdgeWorld, options: EdgeCoreOptions) {
    this.#context = new EdgeContext(world, resolveEdgeCoreOptions(options));
    this.#newKey = sessionKeys(() => world.random());
    this.#beatAt = world.clock.now();
    this.#scheduleBeat();
  }

  get counters(): LinkCounters {
    return this.#context.counters;
  }

  /** The attaches in turn, and their pace. */
  get queue(): Pick<AttachQueue, 'size' | 'gone' | 'perSecond' | 'setPace'> {
    return this.#context.queue;
  }

  /** Sessions that are open: with a client, or until a node has what their client sent last. */
  get size(): number {
    const { attached, unattached, greeting } = this.#context;
    return attached + unattached.size + greeting.size;
  }

  get status(): EdgeCoreStatus {
    const { attached, unattached, greeting, paused, links } = this.#context;
    let linksUp = 0;
    let linksOpening = 0;
    for (const { state } of links.all) {
      if (state === 'up') linksUp++;
      else if (state !== 'down') linksOpening++;
    }
    return {
      attached,
      waiting: unattached.size + greeting.size,
      paused: paused.size,
      linksUp,
      linksOpening,
    };
  }

  /** A client has come. A plain one is attached now, one of `pinwheel.v1` when it has said hello. */
  open(user: string, speech: ClientSpeech, port: ClientPort): EdgeSession {
    const session = new EdgeSession(this.#context, user, speech, port);
    if (this.#phase !== 'open') session.leave(this.#context.world.random() * 1000);
    else if (speech === 'plain') session.hello(this.#newKey());
    return session;
  }

  /** The ring or the members have changed: `world.state()` says to what. */
  ringChanged(): void {
    if (this.#phase === 'closed') return;
    const { links, unattached } = this.#context;
    links.ringChanged();
    for (const pin of [...unattached.keys()]) pin.ringChanged();
  }

  /**
   * Has every client told when to come back, each at a part of the drain's time of its own, 30 s at most, so that the other
   * edges see an even stream; no client is taken any more. It is over when `size` is 0. May be called twice.
   */
  drain(): void {
    if (this.#phase !== 'open') return;
    this.#phase = 'draining';
    const { world, options } = this.#context;
    const { drainMs } = options;
    this.#inTurn((session, place) => session.leave(place * Math.min(drainMs, longestAwayMs)));
    this.#cancelDrain = world.clock.after(drainMs * leaveShare, () => {
      this.#inTurn((session, place) =>
        session.close('drained', place * Math.min(drainMs * (1 - leaveShare), longestAwayMs)),
      );
    });
  }

  /** Ends every session; `place` is from 0 to 1, of each its own. */
  #inTurn(end: (session: EdgeSession, place: number) => void): void {
    const { world } = this.#context;
    const sessions = shuffled(this.#sessions(), () => world.random());
    const total = sessions.length;
    const endSome = (): void => {
      for (let i = 0; i < closedPerTurn && sessions.length > 0; i++) {
        const place = total - sessions.length;
        end(sessions.pop()!, (place + world.random()) / total);
      }
      if (sessions.length > 0) world.soon(endSome);
    };
    endSome();
  }

  /** Cuts everything: links are closed, sessions forgotten; the clients' sockets are the caller's. May be called twice. */
  close(): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    this.#cancelBeat?.();
    this.#cancelDrain?.();
    const { links, queue, retries } = this.#context;
    const sessions = this.#sessions();
    links.close();
    for (const session of sessions) session.cut();
    queue.stop();
    retries.stop();
  }

  #sessions(): EdgeSession[] {
    const { links, unattached, greeting } = this.#context;
    const sessions = new Set<EdgeSession>();
    for (const { session } of greeting.keys()) sessions.add(session);
    for (const { session } of unattached.keys()) sessions.add(session);
    for (const link of links.all) for (const session of link.sessions.values()) sessions.add(session);
    return [...sessions];
  }

  #scheduleBeat(): void {
    const { clock } = this.#context.world;
    const ms = Math.min(beatMs, this.#context.options.keepAliveMs / 12);
    this.#cancelBeat = clock.after(ms, () => this.#beat());
  }

  /** The one timer for whatever is a matter of a quarter of a second. */
  #beat(): void {
    const { world, options, links, paused } = this.#context;
    const now = world.clock.now();
    if (now - this.#beatAt > options.keepAliveMs / 3) {
      // this process stood still: what nodes and clients did meanwhile is still to be read
      links.excuse(now);
      for (const client of paused) client.reading();
    }
    const part = Math.min(1, (now - this.#beatAt) / acknowledgeMs);
    this.#beatAt = now;
    links.beat(now);
    for (const link of links.all) link.acknowledge(part);
    if (this.#overdue === undefined) {
      this.#overdue = this.#endOverdue(now);
      this.#endSome();
    }
    this.#scheduleBeat();
  }

  /** All sessions of a node that is lost may be overdue at once. */
  #endSome(): void {
    for (let i = 0; i < closedPerTurn; i++) {
      if (this.#overdue?.next().done !== false) {
        this.#overdue = undefined;
        return;
      }
    }
    this.#context.world.soon(() => this.#endSome());
  }

  /** Ends those that were overdue at that time, one a step; what comes and goes between two steps does no harm. */
  *#endOverdue(now: number): Generator<unknown> {
    const { options, greeting, unattached, paused, parting } = this.#context;
    for (const client of paused) if (client.checkStalled(now - options.stalledMs)) yield;
    for (const pin of overdue(greeting, now - clientHelloMs)) yield pin.session.close('hello-timeout');
    for (const session of parting.overdue(now - partingMs)) yield session.giveUp();
    for (const pin of overdue(unattached, now - unattachedMs)) {
      yield pin.isInTurn ? this.#context.waitsFromNow(pin) : pin.session.close('unavailable');
    }
  }
}

/** Those that have been somewhere since before; the eldest come first. */
function* overdue(pins: ReadonlyMap<Pin, number>, before: number): Iterable<Pin> {
  for (const [pin, since] of pins) {
    if (since > before) return;
    yield pin;
  }
}

/** Neighbours often came together: their turns must not. */
function shuffled<T>(list: T[], random: () => number): T[] {
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [list[i], list[j]] = [list[j]!, list[i]!];
  }
  return list;
}
