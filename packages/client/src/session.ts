import {
  type ClientControl,
  PinwheelError,
  type ServerControl,
  type ServerFrame,
} from '@pinwheel/protocol/client';
import type { Application } from './application.js';
import { KnownIds } from './known-ids.js';
import type { Outgoing } from './outgoing.js';
import { Positions } from './positions.js';

const mostPatience = 8;

type Welcome = Extract<ServerControl, { readonly type: 'welcome' }>;

/** What a client keeps while connections come and go: how far it is, and what it has yet to get across. */
export class Session {
  readonly outgoing: Outgoing;
  readonly application: Application;
  readonly #key: string;
  readonly #positions = new Positions();
  readonly #knownIds = new KnownIds();
  /** How many times the usual time there is for an answer. */
  patience = 1;
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  #epoch = 0;

  constructor(key: string, outgoing: Outgoing, application: Application) {
    this.#key = key;
    this.outgoing = outgoing;
    this.application = application;
  }

  /** The last seq that it has of the present stream. */
  get seq(): number {
    return this.#positions.seq;
  }

  /** A connection was given up on which nothing whole has come behind the welcome. */
  waitLonger(): void {
    this.patience = Math.min(this.patience * 2, mostPatience);
  }

  /** The first words on a new connection. */
  hello(): ClientControl {
    const hello = { type: 'hello', session: this.#key, epoch: ++this.#epoch } as const;
    return this.#positions.isKnown ? { ...hello, positions: this.#positions.list() } : hello;
  }

  /**
   * Messages follow from here.
   *
   * @returns whether there was a welcome before, and whether nothing between is lost.
   * @throws PinwheelError `protocol`.
   */
  welcome({ session, stream, seq, recovered }: Welcome): {
    readonly resumed: boolean;
    readonly recovered: boolean;
  } {
    if (session !== this.#key) throw new PinwheelError('protocol', 'the welcome is for another session');
    const resumed = this.#positions.isKnown;
    this.#positions.enter(stream, seq);
    // the first time there was nothing that could be lost
    return { resumed, recovered: recovered || !resumed };
  }

  /** @throws PinwheelError `protocol`. */
  take(frame: ServerFrame): void {
    switch (frame.kind) {
      case 'message': {
        const { seq, id } = frame;
        const isFurther = this.#positions.advance(seq);
        // the id decides where there is one: what was moved or merged comes with another seq
        const isNew = id === '' ? isFurther : this.#knownIds.add(id);
        if (isNew) this.application.message({ data: this.#dataOf(frame), id, seq });
        break;
      }
      case 'reply':
        this.application.reply(this.#dataOf(frame));
        break;
      case 'taken':
        this.outgoing.taken(frame.number);
        break;
      default:
        frame satisfies never;
    }
  }

  #dataOf({ binary, data }: { readonly binary: boolean; readonly data: Uint8Array }): string | Uint8Array {
    return binary ? data : this.#decoder.decode(data);
  }
}
