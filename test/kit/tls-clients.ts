import { once } from 'node:events';
import { WebSocket } from 'ws';
import { until } from './until.js';

/** A client that hears echoes, from a server whose certificate it trusts. */
export class TlsClient {
  readonly socket: WebSocket;
  readonly received: string[] = [];
  isClosed = false;

  constructor(port: number, user: string, authorities: readonly string[]) {
    const options = { ca: [...authorities], perMessageDeflate: false };
    this.socket = new WebSocket(`wss://127.0.0.1:${port}/ws?user=${user}`, options);
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.isClosed = true;
    });
    this.socket.on('message', (data) => this.received.push(String(data)));
  }

  async echoes(text: string): Promise<boolean> {
    if (this.socket.readyState === WebSocket.CONNECTING) await once(this.socket, 'open');
    this.socket.send(text);
    return until(`${text} has come back`, () => this.received.includes(`echo ${text}`));
  }
}

/** A stream of clients, one after the other, each of which comes in, hears its echo and goes. */
export class TlsStream {
  served = 0;
  /** A connection that the system has thrown away, though its client could connect at once again. */
  resets = 0;
  readonly failures: string[] = [];
  readonly #port: number;
  readonly #authorities: readonly string[];
  readonly #done: Promise<void>;
  #isOver = false;

  /** @param authorities whom its clients trust; more may be added to them. */
  constructor(port: number, authorities: readonly string[]) {
    this.#port = port;
    this.#authorities = authorities;
    this.#done = this.#run();
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#done;
  }

  async #run(): Promise<void> {
    for (let i = 0; !this.#isOver; i++) {
      const first = await this.#comeAndGo(`stream-${i}`);
      if (first === 'ECONNRESET') this.resets++;
      const last = first === 'ECONNRESET' ? await this.#comeAndGo(`again-${i}`) : first;
      if (last === undefined) this.served++;
      else this.failures.push(last);
    }
  }

  async #comeAndGo(user: string): Promise<string | undefined> {
    const client = new TlsClient(this.#port, user, this.#authorities);
    try {
      await client.echoes('hello');
      return undefined;
    } catch (thrown) {
      return (thrown as NodeJS.ErrnoException).code ?? (thrown as Error).message;
    } finally {
      client.socket.close();
    }
  }
}
