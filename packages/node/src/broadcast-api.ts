import { deliverTo, type Holder } from '@pinwheel/holder';
import type { Member } from '@pinwheel/membership';
import { type Message, PinwheelError, Receipts } from '@pinwheel/protocol';
import type { BroadcastReceipt, NodeClients } from '@pinwheel/sender';
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
}

/** Users written to before others get their turn of the event loop. */
const usersPerTurn = 1000;

/** `POST /v1/broadcast`: to every user of this node, and through every other node to theirs. */
export class BroadcastApi {
  readonly #options: BroadcastApiOptions;

  constructor(options: BroadcastApiOptions) {
    this.#options = options;
  }

  async broadcast(exchange: Exchange): Promise<void> {
    const { counters, now, deadlineMs, newId } = this.#options;
    counters.requests.broadcast++;
    const passage = readPassage(exchange, now(), deadlineMs);
    const payload = await readPayload(exchange);
    const message: Message = { user: '', ...payload, id: newId(), waitForClient: false, repeated: false };
    const others = passage.noForward || passage.hops > 0 ? [] : this.#others();
    const [here, ...there] = await Promise.all([
      this.#here(message),
      ...others.map((member) => this.#there(member, message, passage.deadline)),
    ]);
    exchange.json(200, summarise(here, there));
  }

  async #here(message: Message): Promise<number> {
    const batch = [message];
    const picked = [0];
    const written = new Uint16Array(1);
    const receipts = new Receipts(1);
    const { holder } = this.#options;
    let delivered = 0;
    let turn = 0;
    // a copy: users come and go between the turns
    for (const held of [...holder.users.users()]) {
      written[0] = 0;
      deliverTo(held, batch, picked, written, receipts, holder.second);
      delivered += written[0]!;
      if (++turn % usersPerTurn === 0) await new Promise(setImmediate);
    }
    return delivered;
  }

  async #there(member: Member, message: Message, deadline: number): Promise<Ended> {
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
