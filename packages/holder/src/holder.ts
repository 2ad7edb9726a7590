import type { RingState } from '@pinwheel/membership';
import { viewClientFrame } from '@pinwheel/protocol';
import type { HolderOptions } from './holder-options.js';
import { InboxBudget } from './inbox/inbox-budget.js';
import { LinkAttaches } from './link/link-attaches.js';
import type { LinkCounters, LinkEvents, LinkSocket } from './link/link-world.js';
import { NodeLink } from './link/node-link.js';
import { Attaching } from './moves/attaching.js';
import { ClaimAnswers } from './moves/claim-answers.js';
import { Claims } from './moves/claims.js';
import { Contested } from './moves/contested.js';
import { Copies } from './moves/copies.js';
import { Handoffs } from './moves/handoffs.js';
import { Moves } from './moves/moves.js';
import { Ownership } from './moves/ownership.js';
import type {
  ClaimAnswer,
  ClaimRequest,
  CommitAnswer,
  CommitRequest,
  PeerAnswer,
  PrepareAnswer,
  PrepareRequest,
} from './moves/peers.js';
import type { HeldUser } from './users/held-user.js';
import type { LinkSession } from './users/link-session.js';
import { Sweeps } from './users/sweeps.js';
import { Users } from './users/users.js';

/** Links are looked at so often, in ms, or several times in the part of a short keep-alive after which they are doubted. */
const longestBeatMs = 250;
const beatsPerKeepAlive = 12;
/** Stale copies are settled so often, in ms. */
const settleMs = 1000;
/** So long after it stood still a process reads what has been waiting in its sockets, in ms. */
const backlogMs = 500;

/** All that a node knows of users, and the rules by which they come and go. */
export class Holder {
  readonly users: Users;
  readonly ownership: Ownership;
  readonly moves: Moves;
  readonly handoffs: Handoffs;
  readonly copies: Copies;
  readonly claims: Claims;
  readonly contested: Contested;
  readonly attaching: Attaching;
  readonly attaches: LinkAttaches;
  readonly budget: InboxBudget;
  readonly linkCounters: LinkCounters = { opened: 0, lost: 0, protocolErrors: 0, stale: 0 };
  readonly #options: HolderOptions;
  readonly #claimAnswers: ClaimAnswers;
  readonly #links = new Set<NodeLink>();
  readonly #linkEvents: LinkEvents;
  #beatAt: number;
  #backlogUntil = Number.NEGATIVE_INFINITY;
  readonly #sweeps: Sweeps;
  #settledAt: number;
  readonly #beatMs: number;
  #cancelBeat: () => void = () => {};

  constructor(options: HolderOptions) {
    const { clock, limits, work, self, peers, random, refreshRing, closeDirect } = options;
    const { usersPerSecond, isOpen, incarnation } = options;
    this.#options = options;
    this.#beatAt = this.#settledAt = clock.now();
    this.#beatMs = Math.min(longestBeatMs, limits.keepAliveMs / beatsPerKeepAlive);
    const budget = new InboxBudget(limits.maxInboxTotalBytes);
    this.budget = budget;
    const ownership = new Ownership(self, options.state, clock.now, options.placement);
    const users = new Users({
      now: clock.now,
      newStream: options.newStream,
      budget,
      limits: { maxMessages: limits.maxInboxMessages, maxBytes: limits.maxInboxBytes },
      resumeWindowMs: limits.resumeWindowMs,
      plainWindowMs: limits.plainWindowMs,
      ...(options.presence === undefined ? {} : { presence: options.presence }),
      forgotten: ({ user }) => this.moves.gone(user),
      sessionEnded: (session, code, reason) => work.ended(session, code, reason),
    });
    // a user has come to be held here
    const taken = (held: HeldUser): void => {
      this.contested.watch(held);
      this.moves.judge(held);
      users.forgetIfUnneeded(held);
    };
    const handoffs = new Handoffs({
      self,
      incarnation,
      users,
      ownership,
      peers,
      clock,
      random,
      inbound: work,
      quiesceMs: limits.quiesceMs,
      tombstoneMs: limits.tombstoneMs,
      closeDirect,
      again: (held) => this.moves.judge(held),
      tookBack: (held) => taken(held),
    });
    const { maxCopies } = limits;
    const common = { users, ownership, handoffs, clock };
    const copies = new Copies({ ...common, budget, maxCopies, isOpen, taken, refreshRing });
    this.claims = new Claims({ self, incarnation, users, ownership, copies, peers });
    this.contested = new Contested({ users, ownership, clock, random, claims: () => this.claims });
    this.moves = new Moves({ ...common, usersPerSecond, closeDirect });
    this.attaching = new Attaching({
      users,
      ownership,
      copies,
      claims: this.claims,
      contested: this.contested,
      handoffs,
    });
    this.attaches = new LinkAttaches({
      users,
      ownership,
      attaching: this.attaching,
      began: (session) => work.began(session),
      attached: (held) => this.moves.judge(held),
      refreshRing,
    });
    this.#claimAnswers = new ClaimAnswers({
      ...common,
      limits,
      goNow: (user) => this.moves.goNow(user),
      refreshRing,
    });
    this.#linkEvents = {
      reading: () => void this.beforeDelivery(),
      greeted: (link) => this.#closeOlder(link),
      attach: (request, link) => this.attaches.attach(request, link),
      client: (session, frame) => this.#client(session, frame),
      closed: (session, code, reason) => session.held.ended(session, code, reason),
      lost: (link) => this.#links.delete(link),
    };
    this.users = users;
    this.ownership = ownership;
    this.handoffs = handoffs;
    this.copies = copies;
    this.#sweeps = new Sweeps(users, clock, this.#beatMs);
    this.#scheduleBeat();
  }

  get linkCount(): number {
    return this.#links.size;
  }

  /** The node's clock, in ms. */
  get now(): number {
    return this.#options.clock.now();
  }

  /** Of the node's clock; what is kept is marked with it. */
  get second(): number {
    return Math.floor(this.now / 1000);
  }

  /** Users that this node has and its ring gives to others, and those of whom that is not settled yet. */
  get foreignUsers(): number {
    return this.moves.foreignUsers + this.handoffs.underWay + this.copies.count;
  }

  ringChanged(state: RingState): void {
    this.ownership.ringChanged(state);
    this.handoffs.ringChanged();
    this.copies.ringChanged();
    this.contested.ringChanged();
    this.moves.ringChanged();
  }

  /** A link's socket has opened. The caller reports to the link what it receives and that it is gone. */
  openLink(socket: LinkSocket): NodeLink {
    const { self, incarnation, clock, soon, limits } = this.#options;
    const link = new NodeLink(socket, this.#linkEvents, {
      node: self,
      incarnation,
      now: clock.now,
      soon,
      keepAliveMs: limits.keepAliveMs,
      maxUnreadBytes: limits.maxLinkUnreadBytes,
      resumeWindowMs: limits.resumeWindowMs,
      counters: this.linkCounters,
    });
    this.#links.add(link);
    return link;
  }

  /** Links of edges that may be served by another process under this id now, or of a node that ends. */
  closeLinks(code: number, reason: string): void {
    for (const link of [...this.#links]) link.close(code, reason);
  }

  async claim(request: ClaimRequest): Promise<PeerAnswer<ClaimAnswer>> {
    return this.#answer(await this.#claimAnswers.answer(request));
  }

  prepare(request: PrepareRequest): PeerAnswer<PrepareAnswer> {
    return this.#answer(this.copies.prepare(request));
  }

  commit(request: CommitRequest): PeerAnswer<CommitAnswer> {
    return this.#answer(this.copies.commit(request));
  }

  /**
   * To be called before messages are delivered and links are read: when this process stood still for so long that edges may
   * have given its links up, nothing is written to them, nor done that they say, before they have answered.
   *
   * @returns whether a request that is read now may have waited so long that its sender has given it up: another node
   * may have delivered its messages long ago.
   */
  beforeDelivery(): boolean {
    const { clock, limits } = this.#options;
    const now = clock.now();
    if (now - this.#beatAt > limits.keepAliveMs / 2) this.#beat();
    return now < this.#backlogUntil;
  }

  stop(): void {
    this.#cancelBeat();
    this.#sweeps.stop();
    this.moves.stop();
    this.handoffs.stop();
    this.contested.stop();
  }

  /** An edge opens a link anew when it has given up the one before: what still comes by that is out of date. */
  #closeOlder(greeted: NodeLink): void {
    let older: NodeLink | undefined;
    // in the order in which they were opened
    for (const link of [...this.#links]) {
      if (link.edge !== greeted.edge || link.edgeIncarnation !== greeted.edgeIncarnation) continue;
      older?.close(1001, 'the edge has a newer link');
      older = link;
    }
  }

  #answer<Answer>(answers: readonly Answer[]): PeerAnswer<Answer> {
    const { incarnation } = this.#options;
    const { fingerprint } = this.ownership.state.ring;
    return { incarnation, fingerprint, foreignUsers: this.foreignUsers, answers };
  }

  #client(session: LinkSession, bytes: Uint8Array): void {
    const frame = viewClientFrame(bytes);
    if (frame.kind === 'ack') return;
    const { number } = frame;
    if (frame.kind === 'send' && frame.repeated) {
      // by another holder, perhaps, which is lost; where it went its id is known
      session.accepted = Math.max(session.accepted, number);
      this.#options.work.client(session, frame);
      return;
    }
    if (number <= session.accepted) {
      // sent again because a link was lost; one that waits for the application will be answered in time
      if (number > session.taken) return;
      if (frame.kind === 'message') session.link?.taken(session.number, session.taken);
      else this.#options.work.client(session, { ...frame, repeated: true });
      return;
    }
    // numbers that are missing were processed by a holder that is lost: an edge forgets only what was taken
    session.accepted = number;
    this.#options.work.client(session, frame);
  }

  #beat(): void {
    const now = this.#options.clock.now();
    const stoodStillMs = now - this.#beatAt;
    this.#beatAt = now;
    const isDoubtful = stoodStillMs > this.#options.limits.keepAliveMs / 2;
    if (isDoubtful) this.#backlogUntil = now + backlogMs;
    for (const link of [...this.#links]) {
      if (isDoubtful) link.doubt();
      else link.check();
    }
  }

  #settleStaleCopies(): void {
    this.#settledAt = this.#beatAt;
    const { clock, limits } = this.#options;
    for (const user of this.copies.olderThan(clock.now() - limits.staleCopyMs)) {
      void this.attaching.settleCopy(user);
    }
  }

  /** One timer for everything, with few users: each time that an idle process wakes costs more than what it does then. */
  #scheduleBeat(): void {
    this.#cancelBeat = this.#options.clock.after(this.#beatMs, () => {
      this.#scheduleBeat();
      this.#beat();
      this.#sweeps.beat();
      if (this.#beatAt - this.#settledAt >= settleMs) this.#settleStaleCopies();
    });
  }
}
