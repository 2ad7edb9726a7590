import type { Member } from '@pinwheel/membership';
import type { EdgeContext } from './edge-context.js';
import { Link } from './link.js';

/** The links of an edge: one for each member, and those to members that are no more and have yet to be left. */
export class EdgeLinks {
  readonly #context: EdgeContext;
  readonly #byMember = new Map<string, Link>();
  readonly #all = new Set<Link>();
  #warnedOfForeign = false;

  constructor(context: EdgeContext) {
    this.#context = context;
  }

  get all(): ReadonlySet<Link> {
    return this.#all;
  }

  /** The member that the ring gives the user to, when there is one. */
  ownerOf(user: string): Member | undefined {
    const { ring, members } = this.#context.world.state();
    const owner = ring.owner(user);
    return owner === undefined ? undefined : members.get(owner);
  }

  to(member: Member): Link {
    const known = this.#byMember.get(member.id);
    if (known?.isTo(member)) return known;
    const link = new Link(this.#context, member);
    this.#byMember.set(member.id, link);
    this.#all.add(link);
    return link;
  }

  ringChanged(): void {
    for (const link of this.#all) {
      link.ringChanged();
      if (!link.isUp && !link.isThere) this.drop(link);
    }
  }

  beat(now: number): void {
    for (const link of this.#all) {
      link.beat(now);
      if (link.isAbandoned && link.sessions.size === 0) this.drop(link);
    }
  }

  excuse(now: number): void {
    for (const link of this.#all) link.excuse(now);
  }

  /** The link to a member that has left. Whoever waits for it starts anew from the ring. */
  drop(link: Link): void {
    this.#all.delete(link);
    if (this.#byMember.get(link.member.id) === link) this.#byMember.delete(link.member.id);
    link.close(1001, 'the member has left');
    for (const pin of [...link.waiters]) pin.ringChanged();
  }

  warnOfForeign({ id }: Member): void {
    if (this.#warnedOfForeign) return;
    this.#warnedOfForeign = true;
    const { log, id: edge } = this.#context.options;
    log.warn(
      { edge, member: id },
      'the member is no Pinwheel node, so that no link leads to it: run this edge with --upstream tunnel',
    );
  }

  close(): void {
    for (const link of this.#all) link.close(1001, 'the edge is closed');
    this.#all.clear();
    this.#byMember.clear();
  }
}
