import type { EdgeFrameWriter } from '@pinwheel/protocol';
import type { EdgeContext } from './edge-context.js';
import type { EdgeSession } from './edge-session.js';
import type { Link } from './link.js';
import type { AttachOutcome } from './link-counters.js';
import { closed, greeting, type PinState, retrying } from './pin-state.js';
import { sendableCode, sendableReason } from './session-close.js';

const maxRepins = 8;

/**
 * Where a session is: the node that it is attached to, and the link to it and the number by which frames count. Whatever
 * comes by another link or number finds no session.
 */
export class Pin {
  readonly session: EdgeSession;
  readonly #context: EdgeContext;
  #state: PinState = greeting;
  /** In a row. */
  #repins = 0;
  #failures = 0;
  /** Since it was attached last: it has waited for a turn, and from then on for a node. */
  #hasHadTurn = false;

  constructor(context: EdgeContext, session: EdgeSession) {
    this.#context = context;
    this.session = session;
    context.greeting.set(this, context.world.clock.now());
  }

  get isClosed(): boolean {
    return this.#state.kind === 'closed';
  }

  /** To write frames with under {@link number}; `undefined` while the session is not attached. */
  get out(): EdgeFrameWriter | undefined {
    return this.#state.kind === 'attached' ? this.#state.link.out : undefined;
  }

  /** Of the session on the link that it is pinned to. */
  get number(): number {
    return 'number' in this.#state ? this.#state.number : 0;
  }

  /** Attaches the session at its owner. */
  start(): void {
    this.#start('at once');
  }

  /** The node has taken the session. Whether that is new. */
  attached(): boolean {
    const state = this.#state;
    if (state.kind !== 'attaching') return false;
    this.#repins = 0;
    this.#failures = 0;
    this.#hasHadTurn = false;
    this.#enter({ kind: 'attached', link: state.link, number: state.number });
    return true;
  }

  /** The node says that the session is elsewhere. */
  repinned(to: string, handoff: string): void {
    const { counters, links, world } = this.#context;
    counters.repins++;
    if (this.#state.kind === 'attaching') counters.attaches.repinned++;
    const member = world.state().members.get(to);
    // the node knows of a member, or that there is none, and this edge does not
    if (member === undefined) world.refreshRing();
    if (++this.#repins > maxRepins || member === undefined || member.kind === 'foreign') this.#retryLater();
    else this.#goTo(links.to(member), handoff, 'at once');
  }

  linkLost(): void {
    const state = this.#state;
    if (state.kind !== 'attaching' && state.kind !== 'attached') return;
    if (state.kind === 'attaching') this.#context.counters.attaches['link-lost']++;
    else this.session.sent.nodeLost();
    const handoff = state.kind === 'attaching' ? state.handoff : '';
    this.#enter({ kind: 'waiting', link: state.link, handoff, stays: true });
    state.link.waiters.add(this);
  }

  /** No link could be had to the member that it waits for. */
  linkFailed(): void {
    if (this.#state.kind !== 'waiting' || this.#state.stays) return;
    if (!this.#state.link.isTo(this.#context.links.ownerOf(this.session.user))) this.#retryLater();
  }

  /** The ring or the members have changed. */
  ringChanged(): void {
    const state = this.#state;
    if (state.kind === 'retrying') this.#start('in turn');
    if (state.kind !== 'waiting') return;
    const { link, handoff, stays } = state;
    const { links } = this.#context;
    const follows = !stays && handoff === '' && !link.isTo(links.ownerOf(this.session.user));
    if (follows || !link.isThere) this.#start('in turn');
  }

  /** It is this session's turn to be attached. */
  turn(): void {
    const state = this.#state;
    if (state.kind === 'waiting' && state.link.isUp) {
      if (!this.#hasHadTurn) this.#context.waitsFromNow(this);
      this.#hasHadTurn = true;
      this.#attach(state.link, state.handoff);
    } else if ((state.kind === 'attaching' || state.kind === 'attached') && state.link.isAbandoned)
      this.#leave();
  }

  /** It will have a turn: its time to find a node has not begun. */
  get isInTurn(): boolean {
    const state = this.#state;
    if (this.#hasHadTurn || state.kind !== 'waiting' || !state.link.isUp) return false;
    return this.#context.queue.has(this);
  }

  retry(): void {
    if (this.#state.kind === 'retrying') this.#start('in turn');
  }

  /** The session is over here. The node is told, and whether it may come back. */
  end(mayComeBack: boolean, code: number, reason: string): void {
    this.#farewell(mayComeBack, code, reason);
    this.#enter(closed);
  }

  /** The session is over, and the node knows or need not know. @param attach what became of an ATTACH. */
  forget(attach: AttachOutcome): void {
    if (this.#state.kind === 'attaching') this.#context.counters.attaches[attach]++;
    this.#enter(closed);
  }

  #start(when: 'at once' | 'in turn'): void {
    const { links } = this.#context;
    this.#repins = 0;
    const owner = links.ownerOf(this.session.user);
    if (owner === undefined) this.#retryLater();
    else if (owner.kind === 'foreign') {
      links.warnOfForeign(owner);
      this.session.close('unavailable');
    } else this.#goTo(links.to(owner), '', when);
  }

  #goTo(link: Link, handoff: string, when: 'at once' | 'in turn'): void {
    if (when === 'at once' && link.isUp) {
      this.#attach(link, handoff);
      return;
    }
    this.#enter({ kind: 'waiting', link, handoff, stays: false });
    link.await(this);
  }

  #attach(link: Link, handoff: string): void {
    // the position is what was written
    if (!this.session.flush()) return;
    const number = link.pin(this.session);
    this.#enter({ kind: 'attaching', link, number, handoff });
    const { fingerprint } = this.#context.world.state().ring;
    link.out.attach(this.session.attachRequest(number, fingerprint, handoff));
  }

  /** The member that it is pinned to has left, and its link is still up: on to the owner, if there is another one. */
  #leave(): void {
    const { links } = this.#context;
    const owner = links.ownerOf(this.session.user);
    if (owner === undefined || owner.kind === 'foreign' || !this.session.flush()) return;
    this.#farewell(true, 0, '');
    this.session.sent.nodeLost();
    this.#goTo(links.to(owner), '', 'at once');
  }

  #retryLater(): void {
    this.#enter(retrying);
    this.#context.retries.add(this, ++this.#failures);
  }

  /** Announces the end of its number. */
  #farewell(mayComeBack: boolean, code: number, reason: string): void {
    const state = this.#state;
    if (state.kind !== 'attaching' && state.kind !== 'attached') return;
    if (state.kind === 'attaching') this.#context.counters.attaches['given-up']++;
    const { link, number } = state;
    if (mayComeBack) link.out.detach(number, this.session.position);
    else link.out.closed(number, sendableCode(code), sendableReason(reason));
  }

  #enter(next: PinState): void {
    const before = this.#state;
    const context = this.#context;
    this.#state = next;
    switch (before.kind) {
      case 'greeting':
        context.greeting.delete(this);
        break;
      case 'attaching':
        if (next.kind !== 'attached') before.link.unpin(before.number);
        break;
      case 'attached':
        context.attached--;
        before.link.unpin(before.number);
        break;
      case 'waiting':
        before.link.waiters.delete(this);
        break;
      case 'retrying':
        context.retries.delete(this);
        break;
      case 'closed':
        break;
      default:
        before satisfies never;
    }
    if (next.kind === 'closed') context.queue.delete(this);
    if (next.kind === 'attached') context.attached++;
    if (next.kind === 'attached' || next.kind === 'closed') context.unattached.delete(this);
    else if (!context.unattached.has(this)) context.unattached.set(this, context.world.clock.now());
  }
}
