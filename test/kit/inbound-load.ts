import type { Test } from 'tap';
import type { LinkService, Taken } from './link-service.js';
import type { PlainClient } from './plain-client.js';
import { Rate } from './rate.js';
import type { SdkClient } from './sdk-client.js';
import { until } from './until.js';

const perMs = 0.5;
/** One of so many sends. */
const part = 5;

/** Clients send numbered messages to the application, one client after the other, from the moment that it is made. */
export class InboundLoad {
  readonly #clients: readonly (PlainClient | SdkClient)[];
  readonly #prefix = `c${Math.random().toString(36).slice(2, 8)}-`;
  readonly #sent = new Map<string, number>();
  readonly #rate: Rate;

  constructor(clients: ReadonlyMap<string, PlainClient | SdkClient>) {
    this.#clients = [...clients.values()].filter((_, i) => i % part === 0);
    this.#rate = new Rate(perMs, (count) => this.#send(count));
  }

  pause(): void {
    this.#rate.stop();
  }

  /**
   * @param mayRepeat users whose node died or stood still: what it processed, and could not say so, is processed again,
   * with the same id.
   */
  async arrivedOnceAndInOrder(
    t: Test,
    service: LinkService,
    mayRepeat: ReadonlySet<string> = new Set(),
  ): Promise<void> {
    const arrived = async (): Promise<ReadonlyMap<string, readonly Taken[]>> => {
      const byUser = new Map<string, Taken[]>();
      for (const taken of await service.taken()) {
        if (!taken.data.startsWith(this.#prefix)) continue;
        const those = byUser.get(taken.user) ?? [];
        byUser.set(taken.user, those);
        const first = those.find(({ data }) => data === taken.data);
        const isRepeated = first !== undefined && mayRepeat.has(taken.user) && first.id === taken.id;
        if (!isRepeated) those.push(taken);
      }
      return byUser;
    };
    const total = [...this.#sent.values()].reduce((sum, count) => sum + count, 0);
    const haveAllCome = async (): Promise<boolean> => {
      const came = [...(await arrived()).values()].reduce((sum, those) => sum + those.length, 0);
      return came >= total;
    };
    await until('the application has got everything', haveAllCome, { deadlineMs: 60_000, everyMs: 200 });
    const wrong = [...(await arrived())].filter(([user, those]) => {
      const isInOrder = those.every(({ data }, i) => data === `${this.#prefix}${i}`);
      return !isInOrder || those.length !== this.#sent.get(user);
    });
    t.same(wrong.slice(0, 5), [], `${total} messages of clients came once and in order`);
    t.ok(total > 500, 'while there were many');
  }

  #send(count: number): void {
    const client = this.#clients[count % this.#clients.length]!;
    const number = this.#sent.get(client.user) ?? 0;
    this.#sent.set(client.user, number + 1);
    void client.send(`${this.#prefix}${number}`);
  }
}
