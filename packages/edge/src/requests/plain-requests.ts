import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { endWithToken } from '../admission/end-with-token.js';
import type { TokenLives } from '../admission/token-lives.js';
import type { BackendFaults } from '../backend/backend-faults.js';
import type { BackendProxy } from '../backend/backend-proxy.js';
import type { Router, Target } from '../backend/router.js';
import { answerRequest } from '../http/answer.js';
import { isGone } from '../http/is-gone.js';
import type { EdgeCounters, RequestOutcome } from '../metrics/edge-counters.js';
import { type Admitted, admitPlainRequest, type Gate } from './admit-request.js';
import { PlainRequest } from './plain-request.js';

export interface PlainRequestsOptions {
  readonly gate: Gate;
  readonly router: Router;
  readonly proxy: BackendProxy;
  readonly faults: BackendFaults;
  readonly counters: EdgeCounters;
  readonly tokens: TokenLives;
  /** A request has so long at least, in ms, though its token ends meanwhile. */
  readonly requestTimeoutMs: number;
  readonly refreshWaitMs: number;
  /** What a backend gets with the request of this user. */
  readonly headersFor: (request: IncomingMessage, user: string) => (target: Target) => IncomingHttpHeaders;
}

/** Admits the plain requests that come to an edge with tunnels, and passes them on. */
export class PlainRequests {
  readonly #options: PlainRequestsOptions;

  constructor(options: PlainRequestsOptions) {
    this.#options = options;
  }

  take(request: IncomingMessage, response: ServerResponse): void {
    const { gate, counters } = this.#options;
    const admitted = admitPlainRequest(request, response, gate);
    if (!(admitted instanceof Promise)) {
      this.#admitted(admitted, request, response);
      return;
    }
    void admitted.then((decided) => {
      if (isGone(response)) counters.requests['client-left']++;
      else this.#admitted(decided, request, response);
    });
  }

  #admitted(admitted: Admitted<RequestOutcome>, request: IncomingMessage, response: ServerResponse): void {
    const { counters, router, proxy, faults, tokens, requestTimeoutMs, refreshWaitMs, headersFor } =
      this.#options;
    if ('refused' in admitted) {
      counters.requests[admitted.outcome]++;
      answerRequest(response, admitted.refused, admitted.outcome === 'bad-request' ? 'cut' : 'close');
      return;
    }
    const { user, target, expiresAt } = admitted;
    const plain = new PlainRequest(
      {
        request,
        response,
        user,
        router,
        proxy,
        faults,
        refreshWaitMs,
        headersFor: headersFor(request, user),
        retried: (reason) => {
          counters.retries[reason]++;
        },
        ended: (outcome) => {
          counters.requests[outcome]++;
        },
      },
      target,
    );
    if (expiresAt === undefined) return;
    const endsAt = Math.max(expiresAt, Date.now() + requestTimeoutMs);
    endWithToken(tokens, response, endsAt, () => plain.cut('token-expired'));
  }
}
