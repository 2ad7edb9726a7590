import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { finished } from 'node:stream';
import { headers as names } from '@pinwheel/protocol';
import type { BackendFaults } from '../backend/backend-faults.js';
import type { BackendProxy, Dial } from '../backend/backend-proxy.js';
import type { DialFailure, DialResult } from '../backend/client-stand-in.js';
import { answerHeaders } from '../backend/forward-headers.js';
import { nextTarget } from '../backend/next-target.js';
import type { Router, Target } from '../backend/router.js';
import { answerHead, answerUpgrade, endSocket } from '../http/answer.js';
import { nobodyListens, notNow, type Refusal, refusal } from '../http/refusal.js';
import type { RetryReason, UpgradeOutcome } from '../metrics/edge-counters.js';

export interface HandshakeOptions {
  readonly request: IncomingMessage;
  /** Has a listener for errors. */
  readonly client: Socket;
  readonly user: string;
  readonly router: Router;
  readonly proxy: BackendProxy;
  readonly faults: BackendFaults;
  readonly handshakeTimeoutMs: number;
  readonly closeTimeoutMs: number;
  /** What a backend gets with the upgrade. */
  readonly headersFor: (target: Target) => IncomingHttpHeaders;
  /** A backend has taken the client: `backend` is paused, `head` is its 101. Says whether the tunnel was wanted. */
  readonly opened: (target: Target, backend: Socket, head: string) => UpgradeOutcome;
  readonly retried: (reason: RetryReason) => void;
  /** Called once, when the client has its answer or is gone. */
  readonly ended: (outcome: UpgradeOutcome) => void;
}

type State =
  | { readonly kind: 'dialling'; readonly dial: Dial; readonly target: Target; readonly tries: number }
  | { readonly kind: 'refreshing' }
  | { readonly kind: 'ended' };

const maxTries = 2;

/** One admitted upgrade on its way to a backend: at most two tries, one deadline, always an answer. */
export class Handshake {
  readonly #options: HandshakeOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #clientLeft = (): void => this.#leave();
  #state: State = { kind: 'refreshing' };

  /** @param target where the first try goes. */
  constructor(options: HandshakeOptions, target: Target) {
    this.#options = options;
    this.#timer = setTimeout(() => this.#expire(), options.handshakeTimeoutMs);
    options.client.on('end', this.#clientLeft);
    options.client.on('close', this.#clientLeft);
    this.#dial(target, 1);
  }

  #dial(target: Target, tries: number): void {
    const { proxy, request, headersFor } = this.#options;
    const dial = proxy.dial(request, target, headersFor(target), (result) => this.#dialled(result));
    this.#state = { kind: 'dialling', dial, target, tries };
  }

  #dialled(result: DialResult): void {
    if (this.#state.kind !== 'dialling') return;
    const { target, tries } = this.#state;
    switch (result.kind) {
      case 'open':
        this.#open(target, result.backend, result.head);
        return;
      case 'answer':
        this.#answered(result.response, target, tries);
        return;
      case 'failed':
        if (result.failure === 'unreachable' && tries < maxTries) {
          void this.#again('unreachable', target, undefined);
          return;
        }
        this.#failed(result.failure, target, result.error.message);
        return;
      default:
        result satisfies never;
    }
  }

  #open(target: Target, backend: Socket, head: string): void {
    this.#end();
    this.#options.ended(this.#options.opened(target, backend, head));
  }

  #answered(response: IncomingMessage, target: Target, tries: number): void {
    const status = response.statusCode ?? 502;
    const hint = response.headers[names.owner];
    if (status === 421 && typeof hint === 'string') {
      response.destroy();
      if (tries < maxTries) {
        void this.#again('not-owner', target, hint);
        return;
      }
      const message = 'the ring is changing; no member says that it owns the user';
      this.#refuse(notNow('unavailable', message), 'not-owner');
      return;
    }
    if (status < 300) {
      response.destroy();
      this.#failed('bad-handshake', target, `it answered ${status}`);
      return;
    }
    this.#relay(response, status);
  }

  #failed(failure: DialFailure, { member }: Target, reason: string): void {
    this.#options.faults.note(member, 'an upgrade came to nothing', reason);
    this.#refuse(refusals[failure], failure);
  }

  /** Looks the owner up in a fresh ring, and tries once more. */
  async #again(reason: RetryReason, tried: Target, hint: string | undefined): Promise<void> {
    const { router, user, handshakeTimeoutMs, retried } = this.#options;
    this.#state = { kind: 'refreshing' };
    retried(reason);
    await router.refresh(handshakeTimeoutMs / 4);
    if ((this.#state as State).kind !== 'refreshing') return;
    const next = nextTarget(router, user, tried, hint);
    if (next !== undefined) {
      this.#dial(next, maxTries);
      return;
    }
    this.#refuse(notNow('unavailable', 'no member is known that owns the user'), reason);
  }

  #relay(response: IncomingMessage, status: number): void {
    const { client, closeTimeoutMs, handshakeTimeoutMs, ended } = this.#options;
    this.#end();
    ended('refused-by-backend');
    // as Node.js has read it
    const head = answerHead(status, response.statusMessage ?? '', answerHeaders(response.headers));
    client.write(head, 'latin1');
    const timer = setTimeout(() => response.destroy(), handshakeTimeoutMs);
    const onClose = (): void => void response.destroy();
    client.once('close', onClose);
    client.resume();
    response.pipe(client, { end: false });
    finished(response, (error) => {
      clearTimeout(timer);
      client.off('close', onClose);
      if (error) client.destroy();
      else endSocket(client, closeTimeoutMs);
    });
  }

  #expire(): void {
    const { faults, handshakeTimeoutMs } = this.#options;
    const message = `no backend answered the upgrade within ${handshakeTimeoutMs} ms`;
    if (this.#state.kind === 'dialling') faults.note(this.#state.target.member, message);
    this.#abort();
    this.#refuse(refusal(504, 'deadline', message), 'timeout');
  }

  #leave(): void {
    this.#abort();
    this.#end();
    this.#options.client.destroy();
    this.#options.ended('client-left');
  }

  #refuse(refused: Refusal, outcome: UpgradeOutcome): void {
    this.#end();
    answerUpgrade(this.#options.client, refused, this.#options.closeTimeoutMs);
    this.#options.ended(outcome);
  }

  #abort(): void {
    if (this.#state.kind === 'dialling') this.#state.dial.abort();
  }

  #end(): void {
    clearTimeout(this.#timer);
    this.#options.client.off('end', this.#clientLeft);
    this.#options.client.off('close', this.#clientLeft);
    this.#state = { kind: 'ended' };
  }
}

/** Without the member's name or address, and without the reason, which may have them: clients are strangers. */
const refusals: Readonly<Record<DialFailure, Refusal>> = {
  unreachable: nobodyListens,
  broken: refusal(502, 'unreachable', 'the connection to the backend ended before its answer'),
  'bad-handshake': refusal(502, 'unreachable', 'the backend is no WebSocket server'),
};
