import type { Position } from '@pinwheel/protocol';
import type { HeldUser } from './held-user.js';
import type { LinkSession } from './link-session.js';

/** How far the acknowledgements of a message have come. Only sessions that were sent it and acknowledge are counted. */
export interface AckProgress {
  /** Sessions that have acknowledged it. */
  readonly have: number;
  /** Attached ones that have not. */
  readonly attached: number;
  /** Ones that have not and are away. */
  readonly away: number;
  /** Whether it is still in the inbox. */
  readonly isKept: boolean;
}

/** Somebody waits until a message is acknowledged. */
export class AckWait {
  /** Nothing that is worth waiting for can come, or the user is not held any more. Called once. */
  readonly over: () => void;
  readonly #held: HeldUser;
  #place: Position;
  /** Sessions that have ended since, and had acknowledged it. */
  #left = 0;
  /** As it was when the wait was over. */
  #last: AckProgress | undefined;

  constructor(held: HeldUser, place: Position, over: () => void) {
    this.#held = held;
    this.#place = place;
    this.over = over;
  }

  /** `undefined`: the message is of another stream, and did not come here with it, or not yet. */
  get progress(): AckProgress | undefined {
    return this.#last ?? this.#look();
  }

  /** Whether it was settled here. */
  get isFinished(): boolean {
    return this.#last !== undefined;
  }

  /** A session has ended. */
  ended(session: LinkSession): void {
    const seq = this.#findSeq();
    if (seq !== undefined && isAsked(session, seq) && session.acked >= seq) this.#left++;
  }

  /** What becomes of the user from here on changes nothing of it. */
  finish(): void {
    this.#last = this.#look();
    this.over();
  }

  #look(): AckProgress | undefined {
    const { inbox, sessions } = this.#held;
    const seq = this.#findSeq();
    if (inbox === undefined || seq === undefined) return undefined;
    let have = this.#left;
    let attached = 0;
    let away = 0;
    for (const session of sessions) {
      if (session.kind !== 'link' || !isAsked(session as LinkSession, seq)) continue;
      const { acked, link } = session as LinkSession;
      if (acked >= seq) have++;
      else if (link !== undefined) attached++;
      else away++;
    }
    return { have, attached, away, isKept: seq >= inbox.firstKept && seq < inbox.next };
  }

  /** Where the message stands in the present stream, if it does. */
  #findSeq(): number | undefined {
    const { stream, inbox } = this.#held;
    if (this.#place.stream !== stream) {
      const seq = inbox?.seqOf(this.#place);
      if (seq === undefined) return undefined;
      // remembered, because an acknowledgement makes the inbox forget it
      this.#place = { stream, seq };
    }
    return this.#place.seq;
  }
}

/** One that began behind the message, or missed it, will acknowledge later ones. */
function isAsked({ acknowledges, begins }: LinkSession, seq: number): boolean {
  return acknowledges && begins < seq;
}

/** Those who wait for acknowledgements of one user's messages. */
export class AckWaits {
  readonly #held: HeldUser;
  readonly #waits = new Set<AckWait>();

  constructor(held: HeldUser) {
    this.#held = held;
  }

  add(place: Position, over: () => void): AckWait {
    const wait = new AckWait(this.#held, place, over);
    this.#waits.add(wait);
    return wait;
  }

  delete(wait: AckWait): void {
    this.#waits.delete(wait);
  }

  /** To be called when a session has acknowledged, has left or has gone away, or when messages of another stream came. */
  look(): void {
    for (const wait of this.#waits) {
      const { progress } = wait;
      if (progress !== undefined && isOver(progress)) this.#end(wait);
    }
  }

  /** A session has ended, whose acknowledgements count. */
  ended(session: LinkSession): void {
    for (const wait of this.#waits) wait.ended(session);
    this.look();
  }

  /** The user is not held any more: what was not settled here may be where it is. */
  end(): void {
    for (const wait of this.#waits) {
      this.#waits.delete(wait);
      wait.over();
    }
  }

  #end(wait: AckWait): void {
    this.#waits.delete(wait);
    wait.finish();
  }
}

/** Whoever is away is waited for only while nobody has it. */
export function isOver({ have, attached, away }: AckProgress): boolean {
  return attached === 0 && (have > 0 || away === 0);
}
