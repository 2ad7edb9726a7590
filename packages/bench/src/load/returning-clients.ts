import type { Arrivals } from './arrivals.js';
import { RawClient, type RawTarget } from './raw-client.js';

/** A connection that was ended by the other side. */
export interface Closed {
  readonly user: string;
  readonly code: number;
  /** In ms since the epoch, as `backAtMs`. */
  readonly atMs: number;
  /** When the user was connected again; 0 while it is not. */
  backAtMs: number;
}

export interface ReturningClientsOptions {
  readonly arrivals: Arrivals;
  /**
   * Where a user connects now; `undefined`: nowhere yet.
   *
   * @param failures how often in a row it was refused.
   */
  readonly targetOf: (user: string, failures: number) => RawTarget | undefined;
}

const connectingAtOnce = 100;
const againMs = 20;

/** Clients that come back whenever they are cut off, and do as they are told about when. */
export class ReturningClients {
  readonly closed: Closed[] = [];
  connected = 0;
  refused = 0;
  readonly #options: ReturningClientsOptions;

  constructor(options: ReturningClientsOptions) {
    this.#options = options;
  }

  /** Resolves when every one of them has been connected once. */
  async connect(users: readonly string[]): Promise<void> {
    let next = 0;
    await Promise.all(
      Array.from({ length: connectingAtOnce }, async () => {
        for (let i = next++; i < users.length; i = next++) await this.#attach(users[i]!);
      }),
    );
  }

  #attach(user: string): Promise<void> {
    const take = this.#options.arrivals.ofUser();
    let lastClosed: Closed | undefined;
    let failures = 0;
    return new Promise((resolve) => {
      const open = (): void => {
        const target = this.#options.targetOf(user, failures);
        if (target === undefined) {
          setTimeout(open, againMs);
          return;
        }
        new RawClient(target, {
          opened: () => {
            this.connected++;
            failures = 0;
            if (lastClosed !== undefined) lastClosed.backAtMs = now();
            resolve();
          },
          message: take,
          refused: () => {
            this.refused++;
            failures++;
            setTimeout(open, againMs);
          },
          closed: (code, reason) => {
            this.connected--;
            lastClosed = { user, code, atMs: now(), backAtMs: 0 };
            this.closed.push(lastClosed);
            setTimeout(open, retryAfterMs(reason));
          },
        });
      };
      open();
    });
  }
}

/** In ms since the epoch, finer than `Date.now`. */
function now(): number {
  return performance.timeOrigin + performance.now();
}

function retryAfterMs(reason: string): number {
  try {
    const { retryAfterMs } = JSON.parse(reason) as { retryAfterMs?: unknown };
    return typeof retryAfterMs === 'number' ? retryAfterMs : againMs;
  } catch {
    return againMs;
  }
}
