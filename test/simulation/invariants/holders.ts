import type { Copy, KnownUser } from '../mechanisms.js';
import type { SimNode } from '../sim-node.js';
import type { Simulation } from '../simulation.js';
import { checkBegun } from './begun.js';

/** Nobody goes on with a stream that somebody else has; and since when each user has been somewhere all the time. */
export class Holders {
  readonly #sim: Simulation;
  /** What each process knows of each user, and since when. */
  readonly #known = new Map<string, { readonly kind: string; readonly since: number }>();
  readonly #presentSince = new Map<string, number>();

  constructor(sim: Simulation) {
    this.#sim = sim;
  }

  check(): void {
    const { users, liveNodes, world, ledger } = this.#sim;
    for (const user of users) {
      let first: { readonly node: SimNode; readonly stream: string } | undefined;
      let isPresent = false;
      for (const node of liveNodes) {
        const known = node.holder.users.known(user);
        this.#note(node, user, known);
        if (known === undefined) continue;
        const hasSessions =
          known.kind === 'held'
            ? known.linkSessions > 0
            : known.kind === 'prepared' && !this.#isIdle(known.copy, user);
        if (hasSessions && this.#sim.isKnownToAll(node)) isPresent = true;
        if (known.kind !== 'held' || known.stream === '') continue;
        if (first !== undefined) {
          if (!ledger.splits.has(user)) ledger.splits.set(user, world.now);
          if (first.stream === known.stream) {
            const who = `${first.node.id} and ${node.id}`;
            world.violate('I1 two holders of one stream', `${who} both hold ${user} in ${known.stream}`);
          }
        }
        first ??= { node, stream: known.stream };
      }
      if (!isPresent) this.#presentSince.delete(user);
      else if (!this.#presentSince.has(user)) this.#presentSince.set(user, world.now);
    }
  }

  #note(node: SimNode, user: string, known: KnownUser | undefined): void {
    const { incarnation } = node.process;
    const key = `${user} ${incarnation}`;
    const before = this.#known.get(key)?.kind;
    const kind = kindOf(known);
    if (before === kind) return;
    const { ledger, world } = this.#sim;
    if (kind === undefined) this.#known.delete(key);
    else this.#known.set(key, { kind, since: world.now });
    if (before === 'held')
      ledger.left.push({ user, node: incarnation, at: world.now, isForgotten: kind === undefined });
    // else it has the state of another holder, or its own again
    if (kind === 'held' && (before === undefined || before === 'released'))
      checkBegun(this.#sim, node, user, (holder) => this.#heldSince(user, holder));
  }

  #heldSince(user: string, incarnation: string): number {
    const known = this.#known.get(`${user} ${incarnation}`);
    return known?.kind === 'held' ? known.since : Number.POSITIVE_INFINITY;
  }

  /** A copy is of no use where its source has the user still, or has ended it since. */
  #isIdle({ from, incarnation }: Copy, user: string): boolean {
    const source = this.#sim.nodes.get(from);
    if (source === undefined || source.process.isDead || source.process.incarnation !== incarnation)
      return false;
    return source.holder.users.known(user)?.kind !== 'released';
  }

  /** Since when a node that everybody knows has had the user, without a break. */
  presentSince(user: string): number {
    return this.#presentSince.get(user) ?? Number.POSITIVE_INFINITY;
  }
}

function kindOf(known: KnownUser | undefined): string | undefined {
  if (known?.kind !== 'released') return known?.kind;
  return known.unacknowledged === undefined ? 'released' : 'not acknowledged';
}
