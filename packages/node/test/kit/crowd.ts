import { until } from '../../../../test/kit/until.js';
import { connect, type TestClient } from './client.js';
import type { Teardown, TestNodes } from './nodes.js';

/** Clients who do as they are told: each connects to its owner, and again to whoever that is when told to reconnect. */
export class Crowd {
  /** Every session there was, in the order in which they began. */
  readonly all: TestClient[] = [];
  /** The newest session of each user. */
  readonly current = new Map<string, TestClient>();
  readonly #t: Teardown;
  readonly #nodes: TestNodes;
  #over = false;

  constructor(t: Teardown, nodes: TestNodes) {
    this.#t = t;
    this.#nodes = nodes;
    t.teardown(() => {
      this.#over = true;
    });
  }

  async connect(user: string): Promise<void> {
    const client = await until(
      `${user} is admitted`,
      async () => this.#over || (await connect(this.#t, this.#nodes.ownerOf(user), user)),
    );
    if (client === true) return;
    this.current.set(user, client);
    this.all.push(client);
    client.socket.on('close', (code) => {
      if (code === 4000 && !this.#over) setTimeout(() => void this.connect(user), client.retryAfterMs);
    });
  }

  /** Sessions that have ended. */
  get moved(): readonly TestClient[] {
    return this.all.filter(({ end }) => end !== undefined);
  }

  /** How often each text arrived, over all sessions of all users. */
  received(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const text of this.all.flatMap(({ texts }) => texts)) counts.set(text, (counts.get(text) ?? 0) + 1);
    return counts;
  }
}
