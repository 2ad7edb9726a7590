import type { Arrivals } from '@pinwheel/bench/load/arrivals.js';
import { RawClient, type RawTarget } from '@pinwheel/bench/load/raw-client.js';

export interface Opened {
  /** From the first byte to the 101, in the order of the users. */
  readonly upgradeMs: readonly number[];
}

const connectingAtOnce = 100;
/** Of so many candidates one is taken at least. */
const candidatesEach = 20;
const misdirected = 421;

/** Clients that stay where they are: one that the other side closes is counted and does not come back. */
export class ClientPool {
  /** Ended by the other side, by close code. */
  readonly closed = new Map<number, number>();
  readonly #targetOf: (user: string, i: number) => RawTarget;
  readonly #arrivals: Arrivals;
  readonly #clients = new Set<RawClient>();
  #opened = 0;
  #candidate = 0;

  constructor(targetOf: (user: string, i: number) => RawTarget, arrivals: Arrivals) {
    this.#targetOf = targetOf;
    this.#arrivals = arrivals;
  }

  get size(): number {
    return this.#clients.size;
  }

  /** Connects so many other users; those whom the way leads to a node that does not own them are left out. */
  async pick(count: number): Promise<readonly string[]> {
    const picked: string[] = [];
    const lastCandidate = this.#candidate + candidatesEach * count;
    let opening = 0;
    await atOnce(async () => {
      while (picked.length + opening < count) {
        if (this.#candidate === lastCandidate)
          throw new Error(`of ${candidatesEach * count} users not ${count} can be taken`);
        const user = `user-${this.#candidate++}`;
        opening++;
        const taken = await this.#open(user);
        opening--;
        if (taken) picked.push(user);
      }
    });
    return picked;
  }

  /** @throws Error when one of them is not taken. */
  async connect(users: readonly string[]): Promise<Opened> {
    const upgradeMs: number[] = [];
    let next = 0;
    await atOnce(async () => {
      while (next < users.length) {
        const i = next++;
        const from = performance.now();
        if (!(await this.#open(users[i]!))) throw new Error(`${users[i]} was sent to another node`);
        upgradeMs[i] = performance.now() - from;
      }
    });
    return { upgradeMs };
  }

  disconnect(): void {
    for (const client of this.#clients) client.destroy();
    this.#clients.clear();
  }

  /** Resolves with whether the user was taken. */
  #open(user: string): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const client = new RawClient(this.#targetOf(user, this.#opened++), {
        opened: () => {
          this.#clients.add(client);
          resolve(true);
        },
        message: this.#arrivals.ofUser(),
        refused(status) {
          if (status === misdirected) resolve(false);
          else reject(new Error(`${user} was refused with ${status}`));
        },
        closed: (code) => {
          if (this.#clients.delete(client)) this.closed.set(code, (this.closed.get(code) ?? 0) + 1);
        },
      });
    });
  }
}

async function atOnce(line: () => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: connectingAtOnce }, line));
}
