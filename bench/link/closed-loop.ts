import { MessageNumbers } from '@pinwheel/bench/load/message-numbers.js';
import { pause } from '@pinwheel/bench/load/pause.js';
import { anyOf } from '@pinwheel/bench/load/users.js';
import type { StaticMember } from '@pinwheel/membership';
import { batchContentType, Receipts } from '@pinwheel/protocol';
import { buildRing } from '@pinwheel/ring';
import { Pool } from 'undici';
import { Ledger } from '../send/ledger.js';
import { BatchTemplate } from './batch-template.js';

export interface ClosedLoopOptions {
  readonly members: readonly StaticMember[];
  readonly users: readonly string[];
  /** Messages that are under way to clients at any time. */
  readonly outstanding: number;
  /** Messages in a request. */
  readonly batch: number;
  /** Messages that have come to clients so far. */
  readonly received: () => Promise<number>;
  /** Default: all that there are. */
  readonly numbers?: MessageNumbers;
}

const lookEveryMs = 2;

/**
 * Sends as fast as messages come to clients: receipts do not tell how far a proxy is behind. Batches are prepared, so
 * that this is not what is measured; that makes it no sender that anybody would use.
 */
export class ClosedLoop {
  readonly ledger = new Ledger();
  readonly #options: ClosedLoopOptions;
  readonly #numbers: MessageNumbers;
  /** One that cannot go on rejects. Nobody handles that before `stop`, so it ends the process: no silence is measured. */
  readonly #lines: readonly Promise<void>[];
  readonly #pools: readonly Pool[];
  #received = 0;
  #sent = 0;
  #stopped = false;

  constructor(options: ClosedLoopOptions) {
    this.#options = options;
    this.#numbers = options.numbers ?? new MessageNumbers();
    const ring = buildRing(options.members.map(({ id }) => ({ id })));
    const look = this.#look();
    const pools = options.members.map(
      ({ address, port }) => new Pool(`http://${address}:${port}`, { connections: 1, pipelining: 1 }),
    );
    // two for each node, so that one is under way while the other is made; a node has them one after the other
    const lines = options.members.flatMap((member, i) => {
      const next = anyOf(options.users.filter((user) => ring.owner(user) === member.id));
      const template = () => new BatchTemplate(Array.from({ length: options.batch }, next));
      return [this.#keepSending(pools[i]!, template()), this.#keepSending(pools[i]!, template())];
    });
    this.#pools = pools;
    this.#lines = [...lines, look];
  }

  /** Messages that have come to clients, as of the last look. */
  get received(): number {
    return this.#received;
  }

  /** Messages that there are numbers for. */
  get left(): number {
    return this.#numbers.left;
  }

  /** Sends no more; resolves when every message has its receipt. Rejects when it could not go on before. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#lines);
    await Promise.all(this.#pools.map((pool) => pool.close()));
  }

  async #look(): Promise<void> {
    while (!this.#stopped) {
      this.#received = await this.#options.received();
      await pause(lookEveryMs);
    }
  }

  async #keepSending(pool: Pool, template: BatchTemplate): Promise<void> {
    const { outstanding } = this.#options;
    const { length } = template;
    while (!this.#stopped) {
      if (this.#sent + length - this.#received > outstanding) {
        await pause(1);
        continue;
      }
      template.number(this.#numbers.take(length));
      this.#sent += length;
      await this.#post(pool, template);
    }
  }

  async #post(pool: Pool, { bytes, length, from }: BatchTemplate): Promise<void> {
    const headers = { 'content-type': batchContentType };
    const answer = await pool.request({ method: 'POST', path: '/v1/messages', headers, body: bytes });
    const body = Buffer.from(await answer.body.arrayBuffer());
    if (answer.statusCode !== 200) throw new Error(`a batch was answered with ${answer.statusCode}: ${body}`);
    const receipts = Receipts.decode(body, length);
    for (let i = 0; i < length; i++) {
      // every user has one session
      if (receipts.status(i) === 'delivered') this.ledger.delivered(from + i, 1);
      else this.ledger.enter(from + i, receipts.receipt(i, ''));
    }
  }
}
