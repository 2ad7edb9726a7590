import type { Holder } from '@pinwheel/holder';
import type { Member } from '@pinwheel/membership';
import { type Message, PinwheelError } from '@pinwheel/protocol';
import { type BroadcastReceipt, type NodeClients, timelyMs } from '@pinwheel/sender';
import type { NodeCounters } from '../counters/node-counters.js';
import { deliverToEverybody } from '../delivery/everybody.js';
import type { Passage } from '../delivery/passage.js';
import type { Exchange } from '../http/exchange.js';
import { readPayload } from '../http/payload.js';
import { readPassage } from '../http/read-passage.js';
import { askEverywhere, type NodeAnswer } from './ask-everywhere.js';
import { otherNodes } from './other-nodes.js';

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
    exchange.spend(1);
    const payload = await readPayload(exchange);
    const message = { ...payload, id: newId() };
    const isPassedOn = passage.noForward || passage.hops > 0;
    if (publish !== undefined && !isPassedOn) {
      return exchange.json(202, await publish(message, Math.max(1, Math.round(passage.deadline - now()))));
    }
    if (holder.beforeDelivery()) {
      const why = 'this node stood still, and the request may be out of date: nobody took it; send it again';
      throw new PinwheelError('unavailable', why);
    }
    const [here, there] = await Promise.all([
      deliverToEverybody(holder, message),
      askEverywhere(isPassedOn ? [] : otherNodes(holder), (member) => this.#ask(member, message, passage)),
    ]);
    exchange.json(200, summarise(here, there));
  }

  #ask(member: Member, { data, binary }: Payload, { deadline }: Passage) {
    const { clients, now } = this.#options;
    const call = {
      // the caller waits no longer than that for what is said of all of them
      deadlineMs: timelyMs(deadline - now()),
      hops: 1,
      noForward: true,
      contentType: binary ? 'application/octet-stream' : 'text/plain',
    };
    return clients.of(member).call('POST', '/v1/broadcast', call, data);
  }
}

function summarise(here: number, there: readonly NodeAnswer[]): BroadcastReceipt {
  let delivered = here;
  let nodes = 1;
  const failed: { node: string; error: string }[] = [];
  for (const answer of there) {
    if ('error' in answer) failed.push(answer);
    else {
      delivered += (answer.body as BroadcastReceipt).delivered ?? 0;
      nodes++;
    }
  }
  return failed.length === 0 ? { nodes, delivered } : { nodes, delivered, failed };
}
