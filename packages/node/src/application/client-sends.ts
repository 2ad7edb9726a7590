import type { LinkSession } from '@pinwheel/holder';
import type { Log } from '@pinwheel/membership';
import { type Message, PinwheelError, type Receipt } from '@pinwheel/protocol';
import type { NodeCounters } from '../counters/node-counters.js';
import type { Application } from './application.js';
import { clientReceipt, clientTextOf, overloaded } from './client-receipt.js';
import { type TurnsLimits, taskBytes } from './turns.js';

export interface ClientSendsOptions {
  readonly application: Application;
  readonly limits: TurnsLimits;
  readonly counters: NodeCounters;
  readonly log: Log;
  /** Takes a client's message to another user. */
  readonly pass: (message: Message) => Promise<Receipt>;
}

/** What becomes of messages of clients to other users. */
export class ClientSends {
  readonly #options: ClientSendsOptions;
  /** What of a user's clients waits for other clients. */
  readonly #waiting = new Map<string, { messages: number; bytes: number }>();

  constructor(options: ClientSendsOptions) {
    this.#options = options;
  }

  /** What is said of a message that the application does not let pass. */
  async refusal(session: LinkSession, message: Message): Promise<Receipt | undefined> {
    const { application, counters, log } = this.#options;
    const { user: from } = session;
    const { user: to, data, binary } = message;
    const refused = (why: string): Receipt => overloaded(to, 'not-allowed', why);
    if (application.onSend === undefined) return refused('this service passes no messages between clients');
    try {
      const payload = binary ? Buffer.from(data) : Buffer.from(data).toString('utf8');
      const allowed = await application.onSend({ user: from, session: session.id, to, data: payload });
      return allowed === true ? undefined : refused('the application refused the message');
    } catch (thrown) {
      counters.applicationErrors++;
      const error = PinwheelError.from(thrown, 'application');
      log.warn({ user: from, session: session.id, error: error.message }, 'the application failed on a send');
      return overloaded(to, error.code, error.message);
    }
  }

  /** Sends it on; never rejects. */
  async pass(from: string, message: Message): Promise<Receipt> {
    const { pass, limits } = this.#options;
    const { user: to, waitForClient } = message;
    const { messages, bytes } = this.#waiting.get(from) ?? { messages: 0, bytes: 0 };
    const length = message.data.length + taskBytes;
    if (waitForClient && (messages >= limits.maxPerUser || bytes + length > limits.maxBytesPerUser)) {
      const bound = `${limits.maxPerUser} messages and ${limits.maxBytesPerUser} bytes`;
      const why = `${messages} messages of ${from} with ${bytes} bytes wait for clients; the bound is ${bound}`;
      return overloaded(to, 'overloaded', why);
    }
    if (waitForClient) this.#waiting.set(from, { messages: messages + 1, bytes: bytes + length });
    try {
      return clientReceipt(await pass(message));
    } catch (thrown) {
      const { code } = PinwheelError.from(thrown);
      return overloaded(to, code, clientTextOf(code));
    } finally {
      if (waitForClient) this.#waited(from, length);
    }
  }

  #waited(from: string, length: number): void {
    const waiting = this.#waiting.get(from)!;
    waiting.messages--;
    waiting.bytes -= length;
    if (waiting.messages === 0) this.#waiting.delete(from);
  }
}
