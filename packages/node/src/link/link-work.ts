import type { LinkSession, Session, SessionWork } from '@pinwheel/holder';
import { type ClientFrame, closeCodes } from '@pinwheel/protocol';
import type { Inbound } from '../application/inbound.js';
import type { NodeCounters } from '../counters/node-counters.js';

export interface LinkWorkOptions {
  readonly inbound: Inbound;
  readonly counters: NodeCounters;
  readonly maxInboundBytes: number;
}

/** Brings what happens to sessions that come by links to the application. */
export class LinkWork implements SessionWork {
  readonly #options: LinkWorkOptions;

  constructor(options: LinkWorkOptions) {
    this.#options = options;
  }

  began(session: LinkSession): void {
    this.#options.inbound.connected(session);
  }

  client(session: LinkSession, frame: Extract<ClientFrame, { readonly kind: 'message' | 'send' }>): void {
    const { inbound, counters, maxInboundBytes } = this.#options;
    const { data, number } = frame;
    if (data.length > maxInboundBytes) {
      counters.inboundRefused++;
      session.close(closeCodes.tooLarge, closeCodes.tooLarge.reason);
    } else if (frame.kind === 'send') inbound.sent(session, frame);
    // the bytes are the link message's, which is gone when this returns
    else
      inbound.received(
        session,
        frame.binary ? Buffer.from(data) : Buffer.from(data).toString('utf8'),
        number,
      );
  }

  ended(session: Session, code: number, reason: string): void {
    // a direct session is told of by its server, which knows whether its client has yet to read
    if (session.kind === 'link') this.#over(session as LinkSession, code, reason);
  }

  hold(user: string): Promise<void> | undefined {
    return this.#options.inbound.hold(user);
  }

  letGo(user: string, hasLeft: boolean): void {
    this.#options.inbound.letGo(user, hasLeft);
  }

  #over(session: LinkSession, code: number, reason: string): void {
    const { counters, inbound } = this.#options;
    const name = nameOf(code);
    counters.closes.set(name, (counters.closes.get(name) ?? 0) + 1);
    inbound.disconnected(session, code, reason);
  }
}

const names: ReadonlyMap<number, string> = new Map(
  Object.values(closeCodes).map(({ code, name }) => [code, name]),
);

function nameOf(code: number): string {
  return names.get(code) ?? 'client';
}
