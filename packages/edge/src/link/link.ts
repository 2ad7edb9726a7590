import { backoffMs, type Member } from '@pinwheel/membership';
import { Rounds } from '@pinwheel/migration';
import { EdgeFrameWriter, linkVersion, PinwheelError, readNodeFrames } from '@pinwheel/protocol';
import type { EdgeContext } from './edge-context.js';
import { graceMs, linkHelloMs } from './edge-core-options.js';
import type { EdgeSession } from './edge-session.js';
import type { LinkSocket } from './edge-world.js';
import { FramesFromNode, type NodeGreeting } from './frames-from-node.js';
import type { Pin } from './pin.js';
import { cutReason } from './session-close.js';
import { Silence } from './silence.js';

type LinkState =
  /** Nobody wants it. */
  | { readonly kind: 'down' }
  /** Until the next dial. */
  | { readonly kind: 'resting'; readonly cancel: () => void }
  /** Dialled, up to the node's HELLO. */
  | { readonly kind: 'opening'; readonly socket: LinkSocket; readonly cancel: () => void }
  | { readonly kind: 'up'; readonly socket: LinkSocket; readonly since: number }
  | { readonly kind: 'closed' };

const backoff = { firstMs: 50, longestMs: 2000 };
const protocolErrorCode = 1002;
/** What was collected leaves before the end of the turn when it is more than this. */
const mostCollectedBytes = 1_048_576;
/** Numbers of sessions are never used twice: a link that has used up so many makes place for another. */
const mostNumbers = 4_000_000_000;

/** The one way from this edge to one member: opened when a session wants it, and again while one does. */
export class Link implements NodeGreeting {
  /** By their numbers; those that are attached or about to be. */
  readonly sessions = new Map<number, EdgeSession>();
  /** Those that wait for it, or for their turn on it. */
  readonly waiters = new Set<Pin>();
  readonly #acknowledgeRounds = new Rounds(this.sessions);
  readonly #context: EdgeContext;
  readonly #member: Member;
  readonly #writer = new EdgeFrameWriter();
  #frames: FramesFromNode;
  #state: LinkState = { kind: 'down' };
  /** As the node said itself. */
  #incarnation: string | undefined;
  #lastNumber = 0;
  #failures = 0;
  #isFlushing = false;
  readonly #silence: Silence;
  #lastPing = 0;
  /** Ends the grace of a member that is gone. */
  #cancelGrace: (() => void) | undefined;
  #isAbandoned = false;

  constructor(context: EdgeContext, member: Member) {
    this.#context = context;
    this.#member = member;
    this.#silence = new Silence(context.options.keepAliveMs);
    this.#frames = new FramesFromNode(this, this.sessions, context.counters);
  }

  get member(): Member {
    return this.#member;
  }

  get state(): LinkState['kind'] {
    return this.#state.kind;
  }

  get isUp(): boolean {
    return this.#state.kind === 'up';
  }

  /** Whether its member is among the members of the moment. */
  get isThere(): boolean {
    return this.isTo(this.#context.world.state().members.get(this.#member.id));
  }

  /** Whether its member has been gone for longer than the grace: its sessions leave, though it is up. */
  get isAbandoned(): boolean {
    return this.#isAbandoned;
  }

  /** Whether this is the way to that member, rather than to one that had its id before. */
  isTo(member: Member | undefined): boolean {
    if (member === this.#member) return true;
    if (member === undefined || member.id !== this.#member.id) return false;
    const { address, port, incarnation } = this.#member;
    if (member.address !== address || member.port !== port) return false;
    // the node itself may have been heard before membership was
    const known = [incarnation, this.#incarnation].filter((one) => one !== undefined);
    return member.incarnation === undefined || known.length === 0 || known.includes(member.incarnation);
  }

  /** To write frames with, while it is up. They leave at the end of this turn. */
  get out(): EdgeFrameWriter {
    if (!this.#isFlushing) {
      this.#isFlushing = true;
      this.#context.world.soon(this.#flush);
    } else if (this.#writer.bytes > mostCollectedBytes) this.#send();
    return this.#writer;
  }

  /** Gives a session its number. */
  pin(session: EdgeSession): number {
    const number = ++this.#lastNumber;
    this.sessions.set(number, session);
    return number;
  }

  unpin(number: number): void {
    this.sessions.delete(number);
  }

  /** Waits for the link and for a turn. */
  await(pin: Pin): void {
    this.waiters.add(pin);
    if (this.isUp) this.#context.queue.add(pin);
    else if (this.#state.kind === 'down') this.#dial();
  }

  ringChanged(): void {
    if (this.isThere) {
      this.#silence.memberBack();
      this.#cancelGrace?.();
      this.#cancelGrace = undefined;
      this.#isAbandoned = false;
      return;
    }
    const { clock } = this.#context.world;
    const now = clock.now();
    if (this.#silence.memberGone(now) && this.isUp) this.#ping(now);
    if (this.#isAbandoned) this.#abandon();
    else this.#cancelGrace ??= clock.after(graceMs, () => this.#abandon());
  }

  /** Tells the node what was written to plain clients, for a part of them: the others have their turn next. */
  acknowledge(part: number): void {
    this.#acknowledgeRounds.go(part, (session) => session.acknowledgeWritten(1));
  }

  /** Sends and watches for the signs of life. */
  beat(now: number): void {
    if (this.#state.kind !== 'up') return;
    const verdict = this.#silence.judge(now);
    if (verdict === 'dead') {
      this.#fail(1001, `nothing was heard for ${Math.round(this.#silence.lengthMs(now))} ms`);
      return;
    }
    if (this.#lastNumber > mostNumbers) {
      this.#fail(1000, 'its numbers are used up');
      return;
    }
    if (verdict === 'ping') this.#ping(now);
  }

  /** This process stood still: whoever was heard of too long ago has a little longer. */
  excuse(now: number): void {
    this.#silence.excuse(now);
  }

  /** For good. Its sessions and waiters are the caller's. */
  close(code: number, reason: string): void {
    const state = this.#state;
    if (state.kind === 'closed') return;
    if (state.kind === 'up') this.#send();
    this.#cancelGrace?.();
    this.#enter({ kind: 'closed' });
    if ('socket' in state) state.socket.close(code, reason);
  }

  greeted(version: number, node: string, incarnation: string): void {
    const state = this.#state;
    if (state.kind !== 'opening') return;
    const { id } = this.#member;
    if (version !== linkVersion) {
      throw new PinwheelError(
        'protocol',
        `the node speaks version ${version}; this edge speaks ${linkVersion}`,
      );
    }
    if (node !== id) throw new PinwheelError('protocol', `the node is ${node}; it should be ${id}`);
    this.#incarnation = incarnation;
    const { options, world, queue } = this.#context;
    this.#enter({ kind: 'up', socket: state.socket, since: world.clock.now() });
    options.log.info({ edge: options.id, node: id }, 'the link is up');
    for (const pin of this.waiters) queue.add(pin);
  }

  pinged(number: number): void {
    if (this.isUp) this.out.pong(number);
  }

  readonly #dial = (): void => {
    const { world, options } = this.#context;
    if (this.waiters.size === 0) {
      this.#enter({ kind: 'down' });
      return;
    }
    this.#frames = new FramesFromNode(this, this.sessions, this.#context.counters);
    this.#lastNumber = 0;
    const socket: LinkSocket = world.dial(this.#member, {
      opened: () => {
        if (!this.#isBehind(socket)) return;
        this.#writer.hello(linkVersion, options.id, options.incarnation);
        socket.send(this.#writer.take());
      },
      received: (bytes) => {
        if (this.#isBehind(socket)) this.#received(bytes);
      },
      closed: (why) => {
        if (this.#isBehind(socket)) this.#lost(why ?? 'the connection was closed');
      },
    });
    const cancel = world.clock.after(linkHelloMs, () => {
      this.#fail(1001, `no HELLO has come within ${linkHelloMs} ms`);
    });
    this.#enter({ kind: 'opening', socket, cancel });
  };

  /** Whether what a socket tells still counts. */
  #isBehind(socket: LinkSocket): boolean {
    return 'socket' in this.#state && this.#state.socket === socket;
  }

  #received(bytes: Uint8Array): void {
    this.#silence.heard(this.#context.world.clock.now());
    try {
      readNodeFrames(bytes, this.#frames);
    } catch (thrown) {
      if (!(thrown instanceof PinwheelError) || thrown.code !== 'protocol') throw thrown;
      this.#context.counters.protocolErrors++;
      this.#fail(protocolErrorCode, thrown.message);
    }
    this.#context.turn.messageRead();
  }

  #fail(code: number, why: string): void {
    const state = this.#state;
    if (!('socket' in state)) return;
    this.#lost(why);
    state.socket.close(code, cutReason(why));
  }

  #lost(why: string): void {
    const { options, world, counters, links } = this.#context;
    const state = this.#state;
    const wasUp = state.kind === 'up';
    if (wasUp) counters.linksLost++;
    if (wasUp && world.clock.now() - state.since > backoff.longestMs) this.#failures = 0;
    this.#failures++;
    this.#writer.take();
    const fields = { edge: options.id, node: this.#member.id };
    if (this.sessions.size > 0) options.log.warn(fields, `the link is lost: ${why}`);
    else if (wasUp) options.log.info(fields, `the link is closed: ${why}`);
    // the first failure of those in a row
    else if (this.#failures === 1) options.log.warn(fields, `no link can be had: ${why}`);
    this.#enter({ kind: 'down' });
    const pinned = [...this.sessions.values()];
    for (const session of pinned) session.linkLost();
    if (!this.isThere) {
      links.drop(this);
      return;
    }
    // it may be elsewhere by now, or have left
    if (!wasUp) world.refreshRing();
    if (!wasUp) for (const pin of [...this.waiters]) pin.linkFailed();
    if (this.waiters.size === 0) return;
    const waitMs = backoffMs(this.#failures, backoff, () => world.random());
    this.#enter({ kind: 'resting', cancel: world.clock.after(waitMs, this.#dial) });
  }

  #ping(now: number): void {
    this.#silence.pinged(now);
    this.#lastPing = (this.#lastPing + 1) >>> 0;
    this.out.ping(this.#lastPing);
  }

  #abandon(): void {
    this.#cancelGrace = undefined;
    this.#isAbandoned = true;
    for (const session of this.sessions.values()) session.queueToLeave();
  }

  #enter(next: LinkState): void {
    if ('cancel' in this.#state) this.#state.cancel();
    this.#state = next;
  }

  readonly #flush = (): void => {
    this.#isFlushing = false;
    this.#send();
  };

  #send(): void {
    if (this.#state.kind === 'up' && this.#writer.bytes > 0) this.#state.socket.send(this.#writer.take());
  }
}
