import type { Member } from '@pinwheel/membership';
import { EdgeCore, type EdgeSession, leaveShare } from './mechanisms.js';
import type { ClientHello } from './network.js';
import { SimProcess } from './sim-process.js';
import type { SimTracker } from './sim-tracker.js';
import type { Simulation } from './simulation.js';
import { traceEdgeFrames, traceNodeFrames } from './trace-frames.js';
import type { WireEnd, WireListener } from './wire.js';

/** What a client's socket holds before its edge is told that the client does not read. */
const clientFullBytes = 2048;

/** An edge: the real core between simulated links and clients' sockets. */
export class SimEdge {
  readonly process: SimProcess;
  readonly tracker: SimTracker;
  readonly core: EdgeCore;
  /** Of plain clients that have not been closed. */
  readonly #plain = new Map<WireEnd, string>();
  readonly #sim: Simulation;
  /** The node whose link message is read has crashed since it was sent. */
  #isReadingTheDead = false;

  constructor(sim: Simulation, id: string, incarnation: string) {
    this.#sim = sim;
    const { setup, network } = sim;
    const process = new SimProcess(sim.world, id, incarnation);
    this.process = process;
    this.tracker = sim.membership.follow(process, setup);
    const { clock, random, soon } = process;
    this.core = new EdgeCore(
      {
        clock,
        random,
        soon,
        state: () => this.tracker.current,
        refreshRing: () => this.tracker.refresh(),
        dial: (member, events) => this.#dial(member, events),
      },
      { id, incarnation, keepAliveMs: setup.edgeKeepAliveMs, drainMs: setup.drainMs },
    );
    this.tracker.changed = (state) => {
      this.core.ringChanged();
      sim.ringSeen(state);
    };
    sim.ringSeen(this.tracker.current);
    network.listen(id, { process, accept: (end, hello) => this.#accept(end, hello as ClientHello) });
  }

  get id(): string {
    return this.process.id;
  }

  drain(): void {
    const { setup } = this.#sim;
    // the same timer as the core's, a moment before it: whoever is left then is closed as it is
    this.process.clock.after(setup.drainMs * leaveShare, () => {
      for (const user of this.#plain.values()) this.#sim.excuse(user, 'plain', 'expired');
    });
    this.core.drain();
  }

  crash(isSilent: boolean): void {
    if (this.process.isDead) return;
    this.#sim.network.unlisten(this.id, this.process);
    this.process.die();
    this.#sim.network.died(this.process, isSilent);
  }

  #dial(member: Member, events: Parameters<ConstructorParameters<typeof EdgeCore>[0]['dial']>[1]) {
    const { network, world } = this.#sim;
    const { id } = this;
    const end = network.dial(this.process, member.id, {
      opened: () => events.opened(),
      received: (data) => {
        world.note(() => `${id} ⇐ ${member.id} ${traceNodeFrames(data as Uint8Array)}`);
        this.#isReadingTheDead = end.wire.b.process.isDead;
        events.received(data as Uint8Array);
      },
      closed: (code, reason) => {
        world.note(() => `${id} ⇐ ${member.id} link closed ${code} ${reason}`);
        events.closed(reason);
      },
    });
    return {
      send: (bytes: Uint8Array) => {
        world.note(() => `${id} ⇒ ${member.id} ${traceEdgeFrames(bytes)}`);
        end.send(bytes);
      },
      close: (code: number, reason: string) => end.close(code, reason),
    };
  }

  /** A plain client cannot be told that something is lost; its edge is, and that is all that was promised. */
  #noteAttached(session: EdgeSession, speech: ClientHello['speech']): void {
    const { attached, user } = session;
    const { ledger, world } = this.#sim;
    session.attached = (answer) => {
      if (speech === 'plain' && !answer.recovered) this.#sim.excuse(user, 'plain', 'expired');
      if (this.#isReadingTheDead) ledger.posthumous.push({ user, at: world.now });
      attached.call(session, answer);
    };
  }

  #accept(end: WireEnd, { user, speech }: ClientHello): WireListener {
    end.fullAbove = clientFullBytes;
    if (speech === 'plain') this.#plain.set(end, user);
    const session = this.core.open(user, speech, {
      write: (data, binary) => {
        end.send(binary || typeof data === 'string' ? data : Buffer.from(data).toString());
        return !end.isFull;
      },
      cork: (write) => write(),
      close: (code, reason) => {
        this.#plain.delete(end);
        end.close(code, reason);
      },
    });
    this.#noteAttached(session, speech);
    return {
      received: (data) => {
        const isText = typeof data === 'string';
        session.received(isText ? Buffer.from(data) : data, !isText);
      },
      drained: () => session.drained(),
      closed: (code, reason) => {
        this.#plain.delete(end);
        session.gone(code, reason);
      },
    };
  }
}
