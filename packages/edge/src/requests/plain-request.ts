import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { headers as names } from '@pinwheel/protocol';
import type { BackendFaults } from '../backend/backend-faults.js';
import type { BackendProxy } from '../backend/backend-proxy.js';
import type { ExchangeFailure, ExchangeResult } from '../backend/exchange.js';
import { answerHeaders } from '../backend/forward-headers.js';
import { nextTarget } from '../backend/next-target.js';
import type { Router, Target } from '../backend/router.js';
import { answerRequest } from '../http/answer.js';
import { isGone } from '../http/is-gone.js';
import { awaitBody, hasBody } from '../http/read-body.js';
import { nobodyListens, notNow, type Refusal, refusal } from '../http/refusal.js';
import type { RequestOutcome, RetryReason } from '../metrics/edge-counters.js';

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

  /** Ends it in the middle of whatever has come of the answer. */
  cut(outcome: RequestOutcome): void {
    this.#end(outcome);
    this.#options.response.destroy();
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
        // what Node.js reads as a final answer, and cannot write as one
        if ((result.answer.statusCode ?? 0) < 200) {
          result.answer.destroy();
          this.#failed(
            'broken',
            target,
            new Error(`the status of its answer is ${result.answer.statusCode}`),
          );
          return;
        }
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
        if (again && this.#hasDoneNothing(result.failure)) void this.#again('unreachable', target, undefined);
        else this.#failed(result.failure, target, result.error);
        return;
      default:
        result satisfies never;
    }
  }

  /** Or nothing that it may not do twice. */
  #hasDoneNothing(failure: ExchangeFailure): boolean {
    const { method = '' } = this.#options.request;
    return failure === 'unreachable' || (failure === 'stale' && safeMethods.has(method));
  }

  #failed(failure: ExchangeFailure, { member }: Target, { message }: Error): void {
    this.#options.faults.note(member, 'a plain request had no answer', message);
    this.#refuse(refusals[failure], failure === 'stale' ? 'broken' : failure);
  }

  async #again(reason: RetryReason, tried: Target, hint: string | undefined): Promise<void> {
    const { router, user, refreshWaitMs, response, retried } = this.#options;
    retried(reason);
    await router.refresh(refreshWaitMs);
    if (isGone(response)) return;
    const next = nextTarget(router, user, tried, hint);
    if (next !== undefined) {
      this.#send(next);
      return;
    }
    this.#refuse(notNow('unavailable', 'no member is known that owns the user'), reason);
  }

  #relay(answer: IncomingMessage): void {
    const { request, response } = this.#options;
    response.off('close', this.#clientLeft);
    // not with the backend's words for the status: clients have no use for them (RFC 9112, 4), and they may be such as
    // Node.js reads and does not write
    response.writeHead(answer.statusCode!, answerHeaders(answer.headers) as IncomingHttpHeaders);
    // a stream of events begins with its headers, however long its first event takes
    response.flushHeaders();
    // `pipeline` has several for its end alone; from eleven on Node.js warns of a leak, for each answer anew
    response.setMaxListeners(mostListeners);
    pipeline(answer, response, (error) => {
      if (error) {
        this.#end(answer.errored ? 'broken' : 'client-left');
        return;
      }
      this.#end('answered');
      if (!request.complete) awaitBody(request);
    });
  }

  #refuse(refused: Refusal, outcome: RequestOutcome): void {
    this.#end(outcome);
    answerRequest(this.#options.response, refused, 'keep');
  }

  #end(outcome: RequestOutcome): void {
    const ended = this.#ended;
    this.#ended = undefined;
    ended?.(outcome);
  }
}

/** For one event of an answer: whoever follows a request has one, and each of its two tries. */
const mostListeners = 20;
/** RFC 9110, section 9.2.1. */
const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);
const broken = refusal(502, 'unknown-outcome', 'the backend closed the connection before it answered');
/** Without the member's name or address: clients are strangers. */
const refusals: Readonly<Record<ExchangeFailure, Refusal>> = {
  unreachable: nobodyListens,
  broken,
  stale: broken,
  timeout: refusal(504, 'deadline', 'the backend did not answer in time'),
};
