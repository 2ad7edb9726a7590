/** A connection that ends with its token. */
export interface TokenBearer {
  /** Asks the client for a new token, if it can be asked. */
  askForToken?(): void;
  /** Its token has ended. */
  tokenEnded(): void;
}

interface Life {
  readonly bearer: TokenBearer;
  expiresAt: number;
  /** Of the next thing to do, in slots of time. */
  slot: number;
}

const slotMs = 250;
/** All tokens may have one end: the others' messages go on in between. */
const mostPerTick = 200;
/** A client has a quarter of what its token has left to send a new one, and no longer than this, in ms. */
const longestLeadMs = 60_000;
/** And this at least, or half of what is left. */
const wantedLeadMs = 5000;
/** It is not asked again when there is less time than this, in ms. */
const shortestLeadMs = 500;

/**
 * When the tokens of connections end, and when their clients are asked for new ones: once well before the end, and again
 * each time that half of the rest has passed without one. Driven by `tick`: it has no timer for each connection.
 */
export class TokenLives {
  readonly #lives = new Map<TokenBearer, Life>();
  readonly #slots = new Map<number, Set<Life>>();
  #slot: number;

  /** @param now ms since 1970, as all times here. */
  constructor(now: number) {
    this.#slot = Math.floor(now / slotMs);
  }

  get size(): number {
    return this.#lives.size;
  }

  /** A new connection, or a new token for one that is known. */
  set(bearer: TokenBearer, expiresAt: number, now: number): void {
    this.delete(bearer);
    const life: Life = { bearer, expiresAt, slot: 0 };
    this.#lives.set(bearer, life);
    this.#plan(life, expiresAt - leadOf(expiresAt - now), now);
  }

  /** The connection is gone. Harmless for one that is not known. */
  delete(bearer: TokenBearer): void {
    const life = this.#lives.get(bearer);
    if (life === undefined) return;
    this.#lives.delete(bearer);
    this.#leave(life);
  }

  /**
   * Does what is due, up to a bound. To be called about four times a second.
   *
   * @returns whether something is left, to be done in the next turn of the event loop.
   */
  tick(now: number): boolean {
    const last = Math.floor(now / slotMs);
    // after a clock that jumped there are fewer slots with somebody in them than slots that have passed
    const due =
      last - this.#slot > this.#slots.size
        ? [...this.#slots.keys()].filter((slot) => slot <= last).sort((a, b) => a - b)
        : Array.from({ length: Math.max(0, last - this.#slot) }, (_, i) => this.#slot + 1 + i);
    let left = mostPerTick;
    for (const slot of due) {
      for (const life of this.#slots.get(slot) ?? []) {
        if (left-- === 0) {
          this.#slot = slot - 1;
          return true;
        }
        this.#leave(life);
        this.#due(life, now);
      }
    }
    // a clock that was set back goes through times again for which nothing was left
    this.#slot = last;
    return false;
  }

  #due(life: Life, now: number): void {
    const left = life.expiresAt - now;
    if (left <= 0) {
      this.#lives.delete(life.bearer);
      life.bearer.tokenEnded();
      return;
    }
    if (life.bearer.askForToken === undefined || left < shortestLeadMs) {
      this.#plan(life, life.expiresAt, now);
      return;
    }
    this.#plan(life, left < 2 * shortestLeadMs ? life.expiresAt : now + left / 2, now);
    life.bearer.askForToken();
  }

  /** In the first slot that begins at or behind that time, and never in one that is over. */
  #plan(life: Life, at: number, now: number): void {
    this.#leave(life);
    life.slot = Math.max(Math.floor(now / slotMs) + 1, Math.ceil(at / slotMs));
    const slot = this.#slots.get(life.slot);
    if (slot === undefined) this.#slots.set(life.slot, new Set([life]));
    else slot.add(life);
  }

  #leave(life: Life): void {
    const slot = this.#slots.get(life.slot);
    if (slot?.delete(life) && slot.size === 0) this.#slots.delete(life.slot);
  }
}

function leadOf(left: number): number {
  return Math.min(longestLeadMs, Math.max(left / 4, Math.min(wantedLeadMs, left / 2)));
}
