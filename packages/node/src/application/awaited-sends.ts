import type { LinkSession } from '@pinwheel/holder';

interface AwaitedSend {
  /** Its turn has come: it is not asked for again, whatever becomes of those before it. */
  hasBegun: boolean;
}

/**
 * The messages to other users whose receipts are still to come, by session and number: one that its edge sends again
 * meanwhile gets the receipt of the first.
 */
export class AwaitedSends {
  readonly #bySession = new WeakMap<LinkSession, Map<number, AwaitedSend>>();

  /** @returns `undefined` when it is under way already; else it is, until `over`. */
  add(session: LinkSession, number: number): AwaitedSend | undefined {
    const sends = this.#bySession.get(session) ?? new Map<number, AwaitedSend>();
    if (sends.has(number)) return undefined;
    const send = { hasBegun: false };
    this.#bySession.set(session, sends.set(number, send));
    return send;
  }

  /** It has its receipt. The number may be another one's by now. */
  over(session: LinkSession, number: number, send: AwaitedSend): void {
    const sends = this.#bySession.get(session);
    if (sends?.get(number) === send) sends.delete(number);
  }

  /** Those that have not begun never will: they come again. */
  dropped(session: LinkSession): void {
    const sends = this.#bySession.get(session);
    for (const [number, { hasBegun }] of sends ?? []) if (!hasBegun) sends!.delete(number);
  }
}
