import { type Attached, encodeClientFrame, type Position, type Receipt } from '@pinwheel/protocol';
import type { ClientEnd } from './client.js';
import type { FakeEdge } from './fake-edge.js';

export interface FakeMessage {
  readonly seq: number;
  readonly id: string;
  readonly binary: boolean;
  readonly data: string;
}

interface Named {
  readonly user: string;
  readonly key: string;
  readonly acknowledgesAtOnce?: boolean;
}

/** A session of a {@link FakeEdge}: writes down what the node says of it, and says what it is told to. */
export class FakeSession {
  readonly number: number;
  readonly user: string;
  readonly key: string;
  readonly attached: Attached[] = [];
  readonly messages: FakeMessage[] = [];
  readonly replies: string[] = [];
  readonly taken: number[] = [];
  readonly receipts: { readonly number: number; readonly receipt: Receipt }[] = [];
  readonly repins: { readonly to: string; readonly handoff: string }[] = [];
  readonly closes: ClientEnd[] = [];
  readonly #edge: FakeEdge;
  readonly #acknowledgesAtOnce: boolean;

  constructor(edge: FakeEdge, number: number, { user, key, acknowledgesAtOnce = false }: Named) {
    this.#edge = edge;
    this.number = number;
    this.user = user;
    this.key = key;
    this.#acknowledgesAtOnce = acknowledgesAtOnce;
  }

  get texts(): readonly string[] {
    return this.messages.map(({ data }) => data);
  }

  get seqs(): readonly number[] {
    return this.messages.map(({ seq }) => seq);
  }

  /** Everything of the stream up to `seq`, by default up to the last message. */
  position(seq?: number): Position {
    const { stream, seq: start } = this.attached.at(-1)!;
    return { stream, seq: seq ?? this.messages.at(-1)?.seq ?? start };
  }

  received(message: FakeMessage): void {
    this.messages.push(message);
    if (this.#acknowledgesAtOnce) this.acknowledge(message.seq);
  }

  acknowledge(seq: number): void {
    this.#edge.write((out) => out.ack(this.number, seq));
  }

  pause(): void {
    this.#edge.write((out) => out.pause(this.number));
  }

  continue(): void {
    this.#edge.write((out) => out.continue(this.number));
  }

  detach(seq = this.position().seq): void {
    this.#edge.write((out) => out.detach(this.number, seq));
  }

  close(code = 1000, reason = ''): void {
    this.#edge.write((out) => out.closed(this.number, code, reason));
  }

  /** A message for the application. */
  say(number: number, text: string): void {
    const data = Buffer.from(text);
    const frame = encodeClientFrame({ kind: 'message', number, binary: false, data });
    this.#edge.write((out) => out.client(this.number, frame));
  }

  /** A message to another user. */
  send(number: number, to: string, text: string, waitForClient = false, repeated = false): void {
    const data = Buffer.from(text);
    const frame = encodeClientFrame({
      kind: 'send',
      number,
      binary: false,
      waitForClient,
      repeated,
      to,
      data,
    });
    this.#edge.write((out) => out.client(this.number, frame));
  }
}
