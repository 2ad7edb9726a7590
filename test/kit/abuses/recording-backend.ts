import { rawBackend } from '../../../packages/edge/test/backends.js';
import { accept } from '../../../packages/edge/test/raw-client.js';
import type { Teardown } from '../consul.js';

/** What came on one connection to a backend. */
export interface Recorded {
  /** Every byte before its answer, and afterwards. */
  bytes: Buffer;
  /** How many of them had come when it was answered; `undefined` before. */
  answeredAt: number | undefined;
}

export const goodAnswer = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;

/**
 * A backend on a bare socket that keeps every byte. It answers when it is told to, and from then on sends back what comes;
 * those who ask for `good=1` are answered at once.
 */
export class RecordingBackend {
  readonly port: number;
  readonly connections: readonly Recorded[];
  readonly #answers: Map<Recorded, (text: string) => void>;

  private constructor(port: number, answers: Map<Recorded, (text: string) => void>, connections: Recorded[]) {
    this.port = port;
    this.#answers = answers;
    this.connections = connections;
  }

  static async start(t: Teardown): Promise<RecordingBackend> {
    const connections: Recorded[] = [];
    const answers = new Map<Recorded, (text: string) => void>();
    const backend = await rawBackend((socket) => {
      const recorded: Recorded = { bytes: Buffer.alloc(0), answeredAt: undefined };
      connections.push(recorded);
      const answer = (text: string): void => {
        recorded.answeredAt = recorded.bytes.length;
        socket.write(text);
      };
      answers.set(recorded, answer);
      socket.on('data', (chunk: Buffer) => {
        recorded.bytes = Buffer.concat([recorded.bytes, chunk]);
        if (recorded.answeredAt !== undefined) socket.write(chunk);
        else if (/good=1.*\r\n\r\n/s.test(recorded.bytes.toString('latin1'))) answer(goodAnswer);
      });
    });
    t.teardown(() => backend.close());
    return new RecordingBackend(backend.port, answers, connections);
  }

  answer(to: Recorded, text: string): void {
    this.#answers.get(to)!(text);
  }
}
