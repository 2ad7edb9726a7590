import type { Receipt } from '@pinwheel/protocol';
import { Questions } from './questions.js';

/** A message to a user, from the call that sent it on. */
export interface Sent {
  /** Its payload, which no other message has. */
  readonly text: string;
  readonly user: string;
  /** The order of one sender's messages to one user is promised. */
  readonly sender: string;
  readonly order: number;
  readonly at: number;
  receipt: Receipt | undefined;
  receiptAt: number;
  /** Where it stood: as often as it was given a number in a stream. */
  readonly places: Place[];
  /** How often a node has passed it on for a client: again when the client has not heard what became of it. */
  passes: number;
  /** When it last came to a node, and when marked as one that may have been tried before. */
  firstTriedAt: number;
  repeatedAt: number;
  /** Sessions that another holder had when this one took it. */
  readonly elsewhere: Set<string>;
}

export interface Place {
  readonly node: string;
  readonly stream: string;
  readonly seq: number;
  readonly at: number;
}

export type ClientEvent =
  | {
      readonly kind: 'welcome';
      readonly at: number;
      /** By the edge: the client may have read it long after. */
      readonly saidAt: number;
      readonly resumed: boolean;
      readonly recovered: boolean;
    }
  | { readonly kind: 'message'; readonly at: number; readonly text: string; readonly seq: number }
  | { readonly kind: 'away'; readonly at: number; readonly why: string }
  | { readonly kind: 'closed'; readonly at: number; readonly code: number };

/** What a client has seen. */
export interface ClientLog {
  readonly name: string;
  readonly user: string;
  readonly speech: 'v1' | 'plain';
  readonly events: ClientEvent[];
  /** Where it has connected. */
  readonly edges: Set<string>;
}

/** A message of a client for the application. */
export interface Upward {
  readonly text: string;
  readonly client: string;
  readonly order: number;
  readonly at: number;
  outcome: 'taken' | string | undefined;
}

export interface Left {
  readonly user: string;
  /** Incarnation of the node. */
  readonly node: string;
  readonly at: number;
  /** Rather than handed on. */
  readonly isForgotten: boolean;
}

export interface Applied {
  readonly text: string;
  readonly node: string;
  readonly at: number;
}

/** Something because of which a promise to a user does not hold, as far as it goes. */
export interface Excuse {
  readonly user: string;
  /** Of one session; `undefined`: of all. */
  readonly session: string | undefined;
  readonly kind: 'crash' | 'expired' | 'overflow';
  readonly at: number;
}

/** Everything that was said, done and seen, for the invariants to judge. */
export class Ledger {
  readonly sent = new Map<string, Sent>();
  readonly clients = new Map<string, ClientLog>();
  readonly upward = new Map<string, Upward>();
  readonly applied: Applied[] = [];
  /** Messages of clients that have just been told that they are taken. */
  readonly taken: string[] = [];
  /** Sessions of which an application has heard. */
  readonly begun = new Set<string>();
  readonly excuses: Excuse[] = [];
  /** Messages whose receipt has just come. */
  readonly answered: Sent[] = [];
  readonly questions = new Questions();
  /** When which process ended to hold whom. */
  readonly left: Left[] = [];
  /** When a session was attached by the word of a node that had crashed by then. */
  readonly posthumous: { readonly user: string; readonly at: number }[] = [];
  /** Users who had two holders at one time, and since when. */
  readonly splits = new Map<string, number>();
  /** The message at each place of each stream. */
  readonly #streams = new Map<string, Map<number, string>>();

  send(text: string, user: string, sender: string, order: number, at: number): Sent {
    const sent: Sent = {
      text,
      user,
      sender,
      order,
      at,
      receipt: undefined,
      receiptAt: 0,
      places: [],
      passes: 0,
      firstTriedAt: 0,
      repeatedAt: 0,
      elsewhere: new Set(),
    };
    this.sent.set(text, sent);
    return sent;
  }

  receipt(sent: Sent, receipt: Receipt, at: number): void {
    sent.receipt = receipt;
    sent.receiptAt = at;
    this.answered.push(sent);
  }

  /** Notes where a message stands. @returns the other message that stands there, if there is one. */
  place(text: string, place: Place): string | undefined {
    let stream = this.#streams.get(place.stream);
    if (stream === undefined) {
      stream = new Map();
      this.#streams.set(place.stream, stream);
    }
    const before = stream.get(place.seq);
    if (before !== undefined) return before === text ? undefined : before;
    stream.set(place.seq, text);
    this.sent.get(text)?.places.push(place);
    return undefined;
  }
}
