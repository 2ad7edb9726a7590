import type { Receipt } from '@pinwheel/protocol';
import type { SessionLink } from '../../src/users/link-session.js';

type Said = readonly [frame: string, ...fields: unknown[]];

/** A link that writes down what it is told to say. */
export class FakeLink implements SessionLink {
  readonly edge: string;
  isOpen = true;
  /** Not open any more after so many messages. */
  room = Number.POSITIVE_INFINITY;
  #said: Said[] = [];

  constructor(edge = 'e1') {
    this.edge = edge;
  }

  /** Everything since the last call. */
  take(): readonly Said[] {
    const said = this.#said;
    this.#said = [];
    return said;
  }

  /** Of the messages since the last call the seqs, whatever else was said. */
  takeSeqs(): readonly unknown[] {
    return this.take()
      .filter(([frame]) => frame === 'message')
      .map(([, , seq]) => seq);
  }

  message(session: number, seq: number, id: string, binary: boolean, data: Uint8Array): void {
    this.#said.push(['message', session, seq, id, binary, Buffer.from(data).toString()]);
    if (--this.room <= 0) this.isOpen = false;
  }

  reply(session: number, binary: boolean, data: Uint8Array): void {
    this.#said.push(['reply', session, binary, Buffer.from(data).toString()]);
  }

  gap(session: number, stream: string, seq: number, taken: number): void {
    this.#said.push(['gap', session, stream, seq, taken]);
  }

  end(session: number, code: number, reason: string): void {
    this.#said.push(['end', session, code, reason]);
  }

  receipt(session: number, number: number, receipt: Receipt): void {
    this.#said.push(['receipt', session, number, receipt]);
  }

  taken(session: number, number: number): void {
    this.#said.push(['taken', session, number]);
  }

  repin(session: number, to: string, handoff: string): void {
    this.#said.push(['repin', session, to, handoff]);
  }
}
