import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { headers as names } from '@pinwheel/protocol';
import { answerRequest } from './answer.js';
import type { BackendFaults } from './backend-faults.js';
import type { BackendProxy } from './backend-proxy.js';
import type { RequestOutcome, RetryReason } from './edge-counters.js';
import type { ExchangeFailure, ExchangeResult } from './exchange.js';
import { answerHeaders } from './forward-headers.js';
import { nextTarget } from './next-target.js';
import { nobodyListens, notNow, type Refusal, refusal } from './refusal.js';
import type { Router, Target } from './router.js';

export interface PlainRequestOptions {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly user: string;
  readonly router: Router;
  readonly proxy: BackendProxy;
  readonly faults: BackendFaults;
  readonly refreshWaitMs: number;
  readonly headersFor: (target: Target) => IncomingHttpHeaders;
  readonly retried: (reason: RetryReason) => void;
  /** Called once, when the client has its answer or is gone. */
  readonly ended: (outcome: RequestOutcome) => void;
}

/** Passes a plain request to a backend and its answer back. A request without a body is tried a second time. */
export class PlainRequest {
  readonly #options: PlainRequestOptions;
  readonly #triesMost: number;
  #ended: ((outcome: RequestOutcome) => void) | undefined;
  #tries = 0;
  readonly #clientLeft = (): void => this.#end('client-left');

  constructor(options: PlainRequestOptions, target: Target) {
    this.#options = options;
    this.#ended = options.ended;
    this.#triesMost = hasBody(options.request) ? 1 : 2;
    options.response.once('close', this.#clientLeft);
    this.#send(target);
  }

  #send(target: Target): void {
    const { proxy, request, response, headersFor } = this.#options;
    this.#tries++;
    proxy.exchange(request, response, target, headersFor(target), (result) => this.#sent(result, target));
  }

  #sent(result: ExchangeResult, target: Target): void {
    const again = this.#tries < this.#triesMost;
    switch (result.kind) {
      case 'answer': {
        const hint = result.answer.headers[names.owner];
        if (result.answer.statusCode !== 421 || typeof hint !== 'string') {
          this.#relay(result.answer);
          return;
        }
        result.answer.destroy();
        if (again) {
          void this.#again('not-owner', target, hint);
          return;
        }
        this.#refuse(notNow('unavailable', 'the ring is changing'), 'not-owner');
        return;
      }
      case 'failed':
        if (again && result.failure === 'unreachable') void this.#again('unreachable', target, undefined);
        else this.#failed(result.failure, target, result.error);
        return;
      default:
        result satisfies never;
    }
  }

  #failed(failure: ExchangeFailure, { member }: Target, { message }: Error): void {
    this.#options.faults.note(member, 'a plain request had no answer', message);
    this.#refuse(refusals[failure], failure);
  }

  async #again(reason: RetryReason, tried: Target, hint: string | undefined): Promise<void> {
    const { router, user, refreshWaitMs, response, retried } = this.#options;
    retried(reason);
    await router.refresh(refreshWaitMs);
    if (response.destroyed) return;
    const next = nextTarget(router, user, tried, hint);
    if (next !== undefined) {
      this.#send(next);
      return;
    }
    this.#refuse(notNow('unavailable', 'no member is known that owns the user'), reason);
  }

  #relay(answer: IncomingMessage): void {
    const { response } = this.#options;
    response.off('close', this.#clientLeft);
    response.writeHead(
      answer.statusCode ?? 502,
      answer.statusMessage,
      answerHeaders(answer.headers) as IncomingHttpHeaders,
    );
    pipeline(answer, response, (error) => {
      if (error) this.#end(answer.errored ? 'broken' : 'client-left');
      else this.#end('answered');
    });
  }

  #refuse(refused: Refusal, outcome: RequestOutcome): void {
    const { response, request } = this.#options;
    // what is left of a body that nobody reads would be taken for the next request
    if (!request.complete) response.setHeader('connection', 'close');
    this.#end(outcome);
    answerRequest(response, refused);
  }

  #end(outcome: RequestOutcome): void {
    const ended = this.#ended;
    this.#ended = undefined;
    ended?.(outcome);
  }
}

/** Without the member's name or address: clients are strangers. */
const refusals: Readonly<Record<ExchangeFailure, Refusal>> = {
  unreachable: nobodyListens,
  broken: refusal(502, 'unknown-outcome', 'the backend closed the connection before it answered'),
  timeout: refusal(504, 'deadline', 'the backend did not answer in time'),
};

function hasBody(request: IncomingMessage): boolean {
  const { headers } = request;
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}
