import { type Connection, connect } from '@pinwheel/client';
import { createEdge } from '@pinwheel/edge';
import { type InProcessMembership, inProcessMembership } from '@pinwheel/membership';
import { createNode } from '@pinwheel/node';
import { createSender } from '@pinwheel/sender';
import { WebSocket } from 'undici';

const nodeIds = ['warm-up-1', 'warm-up-2', 'warm-up-3'];
const users = Array.from({ length: 200 }, (_, i) => `user-${i}`);
const usersPerBatch = 8;
const payload = 'x'.repeat(128);

interface Closable {
  close(): unknown;
}

/**
 * A service in this process, by the loopback address: clients behind an edge, messages in both directions, and two nodes
 * of three that leave, one after the other.
 */
export class SmallService {
  readonly #opened: Closable[] = [];
  #isClosed = false;

  async play(): Promise<void> {
    const membership = this.#keep(inProcessMembership());
    const nodes = await Promise.all(nodeIds.map((id) => this.#node(id, membership)));
    const edge = this.#keep(await createEdge({ id: 'warm-up', membership, port: 0 }));
    const url = `ws://127.0.0.1:${edge.port}/ws?user=`;
    const sender = this.#keep(createSender({ membership }));
    await sender.ready();
    // half of the clients acknowledge, half are plain
    const connections: Connection[] = [];
    for (const [i, user] of users.entries()) {
      if (i % 2 === 0) connections.push(await this.#connected(url + user));
      else await this.#open(url + user);
    }
    let haveMoved = false;
    const moves = async (): Promise<void> => {
      for (const node of nodes.slice(1)) await node.drain();
      haveMoved = true;
    };
    const messages = async (): Promise<void> => {
      for (let i = 0; !haveMoved; i++) {
        const from = (i * usersPerBatch) % users.length;
        const batch = users.slice(from, from + usersPerBatch);
        await Promise.all([
          sender.sendMany(batch, payload),
          connections[i % connections.length]!.send(payload),
        ]);
      }
    };
    await Promise.all([moves(), messages()]);
  }

  /** Rejects when a part cannot be closed, behind the others. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const closed = await Promise.allSettled(this.#opened.reverse().map(async (part) => part.close()));
    const failed = closed.find((one) => one.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  async #node(id: string, membership: InProcessMembership) {
    const node = this.#keep(
      await createNode({
        id,
        membership,
        usersPerSecond: 1_000_000,
        onMessage: ({ reply }) => {
          reply(payload);
        },
      }),
    );
    await node.ready();
    return node;
  }

  #connected(url: string): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const connection = this.#keep(
        connect(url, {
          webSocket: WebSocket,
          onStatus: (status) => {
            if (status.state === 'connected') resolve(connection);
            if (status.state === 'waiting') reject(new Error(`a client does not connect: ${status.why}`));
          },
        }),
      );
    });
  }

  #open(url: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = this.#keep(new WebSocket(url));
      socket.addEventListener('open', () => resolve());
      socket.addEventListener('error', () => reject(new Error('a client does not connect')));
    });
  }

  /** What is opened after all when everything is closed is closed at once. */
  #keep<Part extends Closable>(part: Part): Part {
    if (this.#isClosed) void closeLate(part);
    else this.#opened.push(part);
    return part;
  }
}

/** Whoever opened it is gone: nobody could do anything about its failure. */
async function closeLate(part: Closable): Promise<void> {
  try {
    await part.close();
  } catch {}
}
