import type { Clock, Member, RingState } from '@pinwheel/membership';

/** What an edge's core is given of the world outside: it knows no socket and no clock of its own. */
export interface EdgeWorld {
  readonly clock: Clock;
  /** From 0 to below 1. */
  random(): number;
  /** Calls once, at the end of the event loop's turn, never from inside this call. */
  soon(call: () => void): void;
  /** The ring of the moment. */
  state(): RingState;
  /** The ring seems to be out of date. Cheap to call often. */
  refreshRing(): void;
  /** Begins to open a link. No event comes from inside this call. */
  dial(member: Member, events: LinkEvents): LinkSocket;
}

/** What a link's socket tells. */
export interface LinkEvents {
  opened(): void;
  /** @param bytes one link message; views into it are good until the end of the turn at least. */
  received(bytes: Uint8Array): void;
  /** Once, also for one that never opened; nothing comes after it. */
  closed(why?: string): void;
}

export interface LinkSocket {
  /** The bytes are the caller's again when it returns. Harmless on a closed one. */
  send(bytes: Uint8Array): void;
  /** May be called twice. */
  close(code: number, reason: string): void;
}

/** `plain`: bare payloads. `v1`: `pinwheel.v1`. */
export type ClientSpeech = 'plain' | 'v1';

/** A client's socket, as its session sees it. Not used any more once the session was told that the client is gone. */
export interface ClientPort {
  /**
   * Takes a message whole.
   *
   * @param data good until the end of this call.
   * @returns false when the socket holds more than it should: no more, until `drained` is called on the session.
   */
  write(data: Uint8Array | string, binary: boolean): boolean;
  /** Has everything that is written from inside the call leave together. */
  cork(write: () => void): void;
  /** A new token has come from the client; missing where there are no tokens. */
  readonly renewed?: (token: string) => void;
  /** Closes behind what was written. */
  close(code: number, reason: string): void;
}
