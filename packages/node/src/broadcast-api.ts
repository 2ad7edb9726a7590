import type { Holder } from '@pinwheel/holder';
import type { Member } from '@pinwheel/membership';
import { type Message, PinwheelError } from '@pinwheel/protocol';
import type { BroadcastReceipt, NodeClients } from '@pinwheel/sender';
import { deliverToEverybody } from './everybody.js';
import type { Exchange } from './exchange.js';
import type { NodeCounters } from './node-counters.js';
import { readPassage } from './passage.js';
import { readPayload } from './payload.js';

export interface BroadcastApiOptions {
  readonly self: string;
  readonly holder: Holder;
  readonly clients: NodeClients;
  readonly counters: NodeCounters;
  readonly newId: () => string;
  readonly now: () => number;
  readonly deadlineMs: number;
  /** Posts it where every node listens; missing where there is no queue. */
  readonly publish?: (payload: Payload, deadlineMs: number) => Promise<BroadcastReceipt>;
}

type Payload = Pick<Message, 'data' | 'binary' | 'id'>;

/** `POST /v1/broadcast`: to every user of this node, and through every other node, or a queue, to theirs. */
export class BroadcastApi {
  readonly #options: BroadcastApiOptions;

  constructor(options: BroadcastApiOptions) {
    this.#options = options;
  }

  async broadcast(exchange: Exchange): Promise<void> {
    const { holder, counters, now, deadlineMs, newId, publish } = this.#options;
    counters.requests.broadcast++;
    const passage = readPassage(exchange, now(), deadlineMs);
    const payload = await readPayload(exchange);
    const message = { ...payload, id: newId() };
    const isPassedOn = passage.noForward || passage.hops > 0;
    if (publish !== undefined && !isPassedOn) {
      return exchange.json(202, await publish(message, Math.max(1, Math.round(passage.deadline - now()))));
    }
    const others = isPassedOn ? [] : this.#others();
    const [here, ...there] = await Promise.all([
      deliverToEverybody(holder, message),
      ...others.map((member) => this.#there(member, message, passage.deadline)),
    ]);
    exchange.json(200, summarise(here, there));
  }

  async #there(member: Member, message: Payload, deadline: number): Promise<Ended> {
    const { clients, now } = this.#options;
    const call = {
      deadlineMs: deadline - now(),
      hops: 1,
      noForward: true,
      contentType: message.binary ? 'application/octet-stream' : 'text/plain',
    };
    try {
      const { status, body } = await clients.of(member).call('POST', '/v1/broadcast', call, message.data);
      if (status !== 200) return { node: member.id, error: `answered ${status}` };
      return { node: member.id, delivered: (JSON.parse(body) as BroadcastReceipt).delivered ?? 0 };
    } catch (thrown) {
      return { node: member.id, error: PinwheelError.from(thrown).message };
    }
  }

  /** Draining nodes still hold users. */
  #others(): readonly Member[] {
    const { holder, self } = this.#options;
    return [...holder.ownership.state.members.values()].filter(
      (member) => member.kind === 'node' && member.id !== self,
    );
  }
}

type Ended =
  | { readonly node: string; readonly delivered: number }
  | { readonly node: string; readonly error: string };

function summarise(here: number, there: readonly Ended[]): BroadcastReceipt {
  let delivered = here;
  let nodes = 1;
  const failed: { node: string; error: string }[] = [];
  for (const end of there) {
    if ('error' in end) failed.push(end);
    else {
      delivered += end.delivered;
      nodes++;
    }
  }
  return failed.length === 0 ? { nodes, delivered } : { nodes, delivered, failed };
}
