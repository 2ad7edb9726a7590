import {
  BatchWriter,
  decodeBatch,
  type ErrorCode,
  encodeFirstPart,
  encodeSecondPart,
  maxHops,
  headers as names,
  type OutgoingMessage,
  PinwheelError,
  type Receipts,
  writePlaces,
} from '@pinwheel/protocol';
import type { Ledger } from './ledger.js';
import { BatchAnswer, type Ended } from './mechanisms.js';
import type { Network } from './network.js';
import type { SimNode } from './sim-node.js';
import type { SimProcess } from './sim-process.js';
import type { World } from './world.js';

export interface PostOptions {
  readonly deadlineMs: number;
  readonly hops?: number;
  readonly noForward?: boolean;
}

interface Answered {
  /** As far as the answer goes. */
  readonly bytes: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** `POST /v1/messages` over the simulated network: what a client of a node's API and its server do, in real bytes. */
export class SimMessages {
  readonly #world: World;
  readonly #network: Network;
  readonly #ledger: Ledger;
  readonly #nodeIn: (process: SimProcess) => SimNode | undefined;
  /** Who waits for an answer, once for each request. */
  readonly #waiting = new Set<{ readonly from: SimProcess }>();

  constructor(
    world: World,
    network: Network,
    ledger: Ledger,
    nodeIn: (process: SimProcess) => SimNode | undefined,
  ) {
    this.#world = world;
    this.#network = network;
    this.#ledger = ledger;
    this.#nodeIn = nodeIn;
  }

  /** Requests without an answer, of those who live to hear it. */
  get underWay(): number {
    return [...this.#waiting].filter(({ from }) => from.isRunning).length;
  }

  /** Never rejects. */
  async post<Item extends OutgoingMessage>(
    from: SimProcess,
    to: string,
    messages: readonly Item[],
    options: PostOptions,
    ended: Ended<Item>,
  ): Promise<void> {
    const bytes = Buffer.from(new BatchWriter().write(messages));
    const coming = new BatchAnswer(to, messages, ended);
    this.#world.note(() => `${from.id} posts [${messages.map(({ data }) => textOf(data))}] to ${to}`);
    const waiting = { from };
    this.#waiting.add(waiting);
    try {
      const answer = await this.#network.call<Answered>(
        from,
        to,
        'messages',
        Math.max(1, options.deadlineMs),
        (process, say) => this.#serve(process, bytes, options, say),
        ({ bytes: soFar, headers }) => coming.came(soFar, headers),
      );
      coming.whole(answer.bytes, answer.headers);
    } catch (thrown) {
      coming.failed(PinwheelError.from(thrown));
    } finally {
      this.#waiting.delete(waiting);
    }
  }

  async #serve(
    process: SimProcess,
    bytes: Buffer,
    options: PostOptions,
    say: (part: Answered) => void,
  ): Promise<Answered> {
    const node = this.#nodeIn(process);
    if (node === undefined) throw new PinwheelError('unreachable' satisfies ErrorCode, 'no node is there');
    const { hops = 0, noForward = false, deadlineMs } = options;
    if (hops > maxHops) this.#world.violate('I6 forwarded too often', `${hops} hops at ${process.id}`);
    const batch = decodeBatch(Buffer.from(bytes));
    // as the real server: the first turn of a larger batch is the request's
    if (batch.length > 1) await new Promise<void>((go) => process.soon(go));
    for (const { data, repeated } of batch) {
      const sent = this.#ledger.sent.get(textOf(data));
      if (sent !== undefined) sent[repeated ? 'repeatedAt' : 'firstTriedAt'] = this.#world.now;
    }
    const deadline = process.clock.now() + deadlineMs;
    const answer = (receipts: Receipts, encoded: Buffer, without: readonly number[] = []): Answered => {
      this.#world.note(() => {
        const named = batch.map(({ data, user }, i) =>
          without.includes(i) ? '' : `${textOf(data)}: ${describe(receipts.receipt(i, user))}`,
        );
        return `${process.id} answers ${named.join(', ')}`;
      });
      const { fingerprint } = node.holder.ownership.state.ring;
      const headers = {
        [names.fingerprint]: fingerprint,
        [names.foreignUsers]: String(node.holder.foreignUsers),
        [names.passedOn]: writePlaces(receipts.passedOn, batch.length),
        ...(node.holder.moves.turn === undefined ? {} : { [names.turn]: String(node.holder.moves.turn) }),
      };
      return { bytes: encoded, headers };
    };
    let begun: Answered | undefined;
    let later: readonly number[] = [];
    const receipts = await node.router.answer(batch, { hops, noForward, deadline }, (known, places) => {
      later = places;
      begun = answer(known, encodeFirstPart(known, places), places);
      say(begun);
    });
    if (begun === undefined) return answer(receipts, receipts.encode());
    const rest = answer(receipts, encodeSecondPart(receipts, later));
    // what stands in an answer's head has been said
    return { bytes: Buffer.concat([begun.bytes, rest.bytes]), headers: begun.headers };
  }
}

function describe({
  status,
  sessions,
  error,
}: {
  status: string;
  sessions?: number;
  error?: { code: string };
}): string {
  return `${status}${sessions ?? ''}${error === undefined ? '' : ` ${error.code}`}`;
}

export function textOf(data: string | Uint8Array): string {
  return typeof data === 'string' ? data : Buffer.from(data).toString();
}
