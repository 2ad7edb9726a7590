import type { ClientFrame } from '@pinwheel/protocol';
import type { SessionWork } from '../../src/holder-options.js';
import type { LinkSession } from '../../src/users/link-session.js';
import type { Session } from '../../src/users/session.js';

/** An application that writes down what it is told, and is as slow as it is told. */
export class FakeWork implements SessionWork {
  readonly begun: string[] = [];
  readonly endings: { readonly session: string; readonly code: number; readonly reason: string }[] = [];
  readonly received: { readonly session: LinkSession; readonly number: number; readonly text: string }[] = [];
  /** `user held`, `user goes on`, `user left`. */
  readonly turns: string[] = [];
  /** It is at a message of these users until {@link finish}. */
  readonly #busy = new Map<string, { readonly over: Promise<void>; readonly end: () => void }>();
  /** Whether messages are processed at once. */
  isQuick = true;

  began(session: LinkSession): void {
    this.begun.push(session.id);
    session.announced = true;
  }

  client(session: LinkSession, frame: Extract<ClientFrame, { readonly kind: 'message' | 'send' }>): void {
    this.received.push({ session, number: frame.number, text: Buffer.from(frame.data).toString() });
    if (this.isQuick) session.processed(frame.number);
  }

  ended({ id }: Session, code: number, reason: string): void {
    this.endings.push({ session: id, code, reason });
  }

  hold(user: string): Promise<void> | undefined {
    this.turns.push(`${user} held`);
    return this.#busy.get(user)?.over;
  }

  letGo(user: string, hasLeft: boolean): void {
    this.turns.push(`${user} ${hasLeft ? 'left' : 'goes on'}`);
  }

  /** It is at a message of that user. */
  begin(user: string): void {
    let end = (): void => {};
    const over = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.#busy.set(user, { over, end });
  }

  finish(user: string): void {
    this.#busy.get(user)?.end();
    this.#busy.delete(user);
  }
}
