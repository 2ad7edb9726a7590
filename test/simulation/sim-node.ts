import {
  type ClaimAnswer,
  type ClaimRequest,
  Holder,
  type NodeLink,
  type PeerAnswer,
  type Peers,
} from '@pinwheel/holder';
import { type Member, silentLog } from '@pinwheel/membership';
import type { NodeClients } from '@pinwheel/sender';
import { createNodeCounters, Forwarder, Inbound, LinkWork, pacedPart, Router } from './mechanisms.js';
import { pathTo, type Question } from './questions.js';
import { SimApplication } from './sim-application.js';
import { SimDispatch } from './sim-dispatch.js';
import { textOf } from './sim-messages.js';
import { SimProcess } from './sim-process.js';
import type { SimTracker } from './sim-tracker.js';
import type { Simulation } from './simulation.js';
import type { WireEnd, WireListener } from './wire.js';

const drainPollMs = 20;
const ringWithoutMeMs = 5000;
const lingerMs = 300;

/** A node: the real holder, router, forwarder and inbound, wired as the real node wires them. */
export class SimNode {
  readonly process: SimProcess;
  readonly tracker: SimTracker;
  readonly holder: Holder;
  readonly router: Router;
  readonly forwarder: Forwarder;
  readonly inbound: Inbound;
  readonly dispatch: SimDispatch;
  readonly links = new Set<NodeLink>();
  phase: 'serving' | 'draining' | 'closed' = 'serving';
  readonly #sim: Simulation;
  #streams = 0;

  constructor(sim: Simulation, id: string, incarnation: string) {
    this.#sim = sim;
    const { setup, network, ledger } = sim;
    const process = new SimProcess(sim.world, id, incarnation);
    this.process = process;
    this.tracker = sim.membership.follow(process, setup);
    this.dispatch = new SimDispatch(process, () => this.tracker, sim.messages);
    const counters = createNodeCounters();
    const applicationLimits = { maxPerUser: 256, maxBytesPerUser: 1_048_576, maxBytes: 16_777_216 };
    this.inbound = new Inbound({
      application: new SimApplication(process, ledger, () => sim.applicationMs),
      counters,
      log: silentLog,
      limits: applicationLimits,
      send: (user, data) => this.dispatch.send(user, data, 5000),
      pass: ({ user, data, id: named }) => {
        const sent = ledger.sent.get(textOf(data));
        if (sent !== undefined) sent.passes++;
        return this.dispatch.send(user, data, 5000, named);
      },
    });
    const work = new LinkWork({ inbound: this.inbound, counters, maxInboundBytes: 65_536 });
    this.holder = new Holder({
      self: id,
      incarnation,
      state: this.tracker.current,
      clock: process.clock,
      random: process.random,
      soon: process.soon,
      newStream: () => `${incarnation}.${++this.#streams}`,
      peers: this.#peers(),
      work: {
        began: (session) => work.began(session),
        client: (session, frame) => work.client(session, frame),
        ended: (session, code, reason) => {
          sim.world.note(() => `${id} ends session ${session.id} of ${session.user}: ${code} ${reason}`);
          if (code === 1006) sim.excuse(session.user, session.id, 'expired');
          work.ended(session, code, reason);
        },
        hold: (user) => work.hold(user),
        letGo: (user, hasLeft) => work.letGo(user, hasLeft),
      },
      isOpen: () => this.phase === 'serving',
      closeDirect: () => {},
      refreshRing: () => this.tracker.refresh(),
      usersPerSecond: setup.usersPerSecond,
      limits: setup.limits,
    });
    const { ownership } = this.holder;
    this.forwarder = new Forwarder({
      clients: this.#clients(),
      now: process.clock.now,
      maxWaiting: 10_000,
      memberOf: (member) => ownership.state.members.get(member),
      asking: (member) => ownership.asking(member),
    });
    this.router = new Router({
      holder: this.holder,
      forwarder: this.forwarder,
      counters,
      now: process.clock.now,
      after: process.clock.after,
      forwardTimeoutMs: setup.callMs,
      refreshRing: () => this.tracker.refresh(),
      observeBatch: () => {},
    });
    this.tracker.changed = (state) => {
      this.holder.ringChanged(state);
      this.forwarder.keepOnly(state.members);
      this.dispatch.ringChanged(state);
      sim.ringSeen(state);
    };
    sim.ringSeen(this.tracker.current);
    this.dispatch.ringChanged(this.tracker.current);
    this.holder.ringChanged(this.tracker.current);
    network.listen(id, { process, accept: (end) => this.#accept(end) });
  }

  get id(): string {
    return this.process.id;
  }

  /** Ends as a killed process does. @param isSilent its host with it. */
  crash(isSilent: boolean): void {
    if (this.process.isDead) return;
    for (const { user } of this.holder.users.everybody()) this.#sim.excuse(user, undefined, 'crash');
    this.#end(isSilent);
  }

  /** Leaves as planned, as the real node does. */
  async drain(): Promise<void> {
    if (this.phase !== 'serving') return;
    const { membership, setup, world } = this.#sim;
    const { process, holder } = this;
    const startedAt = process.clock.now();
    const deadline = startedAt + setup.drainMs;
    const pacedUntil = startedAt + pacedPart * setup.drainMs;
    this.phase = 'draining';
    world.note(() => `${this.id} drains`);
    membership.drain(this.id);
    const isInRing = (): boolean => this.tracker.current.ring.members.some(({ id }) => id === this.id);
    await this.#until(() => !isInRing(), Math.min(deadline, process.clock.now() + ringWithoutMeMs));
    holder.moves.leave(pacedUntil - process.clock.now());
    const haveGone = (): boolean =>
      holder.users.userCount + holder.copies.count + holder.handoffs.underWay === 0;
    if (!(await this.#until(haveGone, pacedUntil))) {
      holder.moves.finish();
      await this.#until(haveGone, deadline);
    }
    if (haveGone()) holder.handoffs.commits.sayLast();
    membership.leave(this.id, process.incarnation);
    await this.#until(() => false, process.clock.now() + lingerMs);
    this.phase = 'closed';
    holder.stop();
    for (const { user } of holder.users.users()) this.#sim.excuse(user, undefined, 'crash');
    holder.closeLinks(1012, 'service restart');
    // what was said last still leaves
    await new Promise<void>((over) => process.clock.after(1, over));
    this.#end(false);
  }

  #end(isSilent: boolean): void {
    this.phase = 'closed';
    this.#sim.network.unlisten(this.id, this.process);
    this.process.die();
    this.#sim.network.died(this.process, isSilent);
  }

  async #until(condition: () => boolean, deadline: number): Promise<boolean> {
    const { clock } = this.process;
    while (!condition()) {
      if (clock.now() >= deadline) return false;
      await new Promise<void>((over) => clock.after(drainPollMs, over));
    }
    return true;
  }

  #accept(end: WireEnd): WireListener {
    end.fullAbove = this.#sim.setup.limits.maxLinkUnreadBytes;
    const link = this.holder.openLink({
      send: (bytes) => end.send(bytes),
      get unreadBytes() {
        return end.unreadBytes;
      },
      close: (code, reason) => end.close(code, reason),
    });
    this.links.add(link);
    return {
      received: (data) => link.received(data as Uint8Array),
      drained: () => link.drained(),
      closed: () => {
        this.links.delete(link);
        link.gone();
      },
    };
  }

  #peers(): Peers {
    const { setup, network } = this.#sim;
    const call = <Request extends { readonly users: readonly unknown[] }, Answer>(
      what: string,
      withinMs: number,
      serve: (holder: Holder, request: Request) => PeerAnswer<Answer> | Promise<PeerAnswer<Answer>>,
    ) => {
      return async (member: Member, request: Request): Promise<PeerAnswer<Answer>> => {
        const json = JSON.stringify(request);
        this.#sim.world.note(() => `${this.id} ${what} ${usersOf(request)} → ${member.id}`);
        const answer = await network.call(this.process, member.id, what, withinMs, async (process) => {
          const node = this.#sim.nodeIn(process)!;
          const answered = await serve(node.holder, JSON.parse(json) as Request);
          this.#sim.world.note(
            () => `${node.id} answers ${what} of ${this.id}: ${JSON.stringify(answered.answers)}`,
          );
          return JSON.stringify(answered);
        });
        return JSON.parse(answer) as PeerAnswer<Answer>;
      };
    };
    const claim = call<ClaimRequest, ClaimAnswer>('claim', setup.claimMs, (holder, request) =>
      holder.claim(request),
    );
    return {
      claim: (member, request) => this.#noteClaim(member.id, request, claim(member, request)),
      prepare: call('prepare', setup.callMs, (holder, request) => holder.prepare(request)),
      commit: call('commit', setup.callMs, (holder, request) => holder.commit(request)),
    };
  }

  async #noteClaim<Answer>(to: string, { users }: ClaimRequest, answer: Promise<Answer>): Promise<Answer> {
    const { ledger, world, nodes } = this.#sim;
    const questions = users.map((user): Question => {
      const path = pathTo(nodes, user, to, this.id);
      const question = { to, at: world.now, path, endedAt: undefined };
      ledger.questions.ask(this.process.incarnation, user, question);
      return question;
    });
    try {
      return await answer;
    } finally {
      for (const question of questions) question.endedAt = world.now;
    }
  }

  #clients(): NodeClients {
    const { messages } = this.#sim;
    const of = (member: Member): Pick<ReturnType<NodeClients['of']>, 'post'> => ({
      post: (batch, options, ended) => messages.post(this.process, member.id, batch, options, ended),
    });
    return { of } as unknown as NodeClients;
  }
}

function usersOf({ users }: { readonly users: readonly unknown[] }): string {
  return `[${users.map((one) => (typeof one === 'string' ? one : (({ user, handoff }) => `${user} ${handoff}`)(one as { user: string; handoff: string })))}]`;
}
