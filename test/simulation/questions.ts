import type { SimNode } from './sim-node.js';

/** A claim for one user, at one member. */
export interface Question {
  readonly to: string;
  readonly at: number;
  /** From whom was asked to whoever held the user, by what each knew; empty when it led to nobody. */
  path: readonly string[];
  endedAt: number | undefined;
}

/** No claim goes further, either. */
const longestPath = 6;

/** From one node to the holder of a user, by what each on the way knows; empty when it leads to nobody, or to `asker`. */
export function pathTo(
  nodes: ReadonlyMap<string, SimNode>,
  user: string,
  first: string,
  asker: string,
): readonly string[] {
  const path: string[] = [];
  let id = first;
  while (path.length < longestPath && id !== asker && !path.includes(id)) {
    path.push(id);
    const node = nodes.get(id);
    const known = node?.process.isDead === false ? node.holder.users.known(user) : undefined;
    if (known === undefined) return [];
    if (known.kind === 'held') return path;
    id = known.kind === 'released' ? known.to : known.copy.from;
  }
  return [];
}

/** What each node has asked of late for each user: all that was asked since nothing of it was under way. */
export class Questions {
  readonly #rounds = new Map<string, Question[]>();

  ask(incarnation: string, user: string, question: Question): void {
    const key = `${incarnation} ${user}`;
    const round = this.#rounds.get(key);
    if (round?.some(({ endedAt }) => endedAt === undefined)) round.push(question);
    else this.#rounds.set(key, [question]);
  }

  of(incarnation: string, user: string): readonly Question[] {
    return this.#rounds.get(`${incarnation} ${user}`) ?? [];
  }
}
