import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A WebSocket client that knows no more than echoes of one size: next to no CPU beside what is measured. */
export class EchoClient {
  readonly #socket: Socket;
  readonly #frame: Buffer;
  readonly #echoBytes: number;
  #received = 0;
  #echoed: () => void = () => {};

  private constructor(socket: Socket, payloadBytes: number) {
    this.#socket = socket;
    // masked with zeros; below 126 bytes the header is the shortest
    this.#frame = Buffer.alloc(6 + payloadBytes);
    this.#frame[0] = 0x82;
    this.#frame[1] = 0x80 | payloadBytes;
    this.#echoBytes = 2 + payloadBytes;
    socket.on('data', (chunk: Buffer) => {
      this.#received += chunk.length;
      if (this.#received < this.#echoBytes) return;
      this.#received -= this.#echoBytes;
      this.#echoed();
    });
  }

  /** @param payloadBytes at most 125. */
  static async open(port: number, user: string, payloadBytes: number): Promise<EchoClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.on('error', () => {});
    socket.write(
      `GET /ws?user=${user} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    const [head] = (await once(socket, 'data')) as [Buffer];
    if (!head.toString('latin1').startsWith('HTTP/1.1 101')) throw new Error(`no 101: ${head}`);
    return new EchoClient(socket, payloadBytes);
  }

  /** One message there and back; never two at one time. */
  echo(echoed: () => void): void {
    this.#echoed = echoed;
    this.#socket.write(this.#frame);
  }

  close(): void {
    this.#socket.destroy();
  }
}

export async function openClients(
  port: number,
  count: number,
  payloadBytes: number,
): Promise<readonly EchoClient[]> {
  const clients: EchoClient[] = [];
  while (clients.length < count) {
    const many = Math.min(50, count - clients.length);
    const opening = Array.from({ length: many }, (_, i) =>
      EchoClient.open(port, `user-${clients.length + i}`, payloadBytes),
    );
    clients.push(...(await Promise.all(opening)));
  }
  return clients;
}

/** Every client has one message under way until all of `count` are back. */
export function echoMany(clients: readonly EchoClient[], count: number): Promise<void> {
  return new Promise((resolve) => {
    let sent = 0;
    let back = 0;
    const next = (client: EchoClient): void => {
      if (sent === count) return;
      sent++;
      client.echo(() => {
        back++;
        if (back === count) resolve();
        else next(client);
      });
    };
    for (const client of clients) next(client);
  });
}
