import type { IncomingMessage } from 'node:http';
import { headers, PinwheelError } from '@pinwheel/protocol';
import { isLoopback, refuseForeignPage } from '@pinwheel/server';
import {
  type ApiKeyDecisions,
  ApiKeyGate,
  type ApiKeySource,
  boundHeaders,
  checkBody,
  type KeySource,
  noDecisions,
  refuseBoth,
  Verifier,
} from '@pinwheel/trust';
import { splitTarget } from '../http/request-path.js';

export interface AdminAccessOptions {
  /** Id of this edge: a proof for another process is none here. */
  readonly self: string;
  readonly keys: KeySource | undefined;
  readonly apiKeys: ApiKeySource | undefined;
  /** Where the admin port listens. */
  readonly host: string;
}

const open = (): void => {};

/**
 * Who may ask an edge for more than its health and metrics: processes of the service by a proof, operators by an API key
 * with the scope `admin`. Without keys of either kind whoever is on this machine, but for pages of others; nobody, where others reach the port.
 */
export class AdminAccess {
  readonly #options: AdminAccessOptions;
  readonly #verifier: Verifier | undefined;
  readonly #gate: ApiKeyGate | undefined;

  constructor(options: AdminAccessOptions) {
    const { keys, apiKeys } = options;
    this.#options = options;
    this.#verifier = keys === undefined ? undefined : new Verifier(keys);
    this.#gate = apiKeys === undefined ? undefined : new ApiKeyGate(apiKeys);
  }

  /** What became of calls with an API key, or without any. */
  get decisions(): Readonly<ApiKeyDecisions> {
    return this.#gate?.decisions ?? noDecisions();
  }

  /**
   * Lets a call in, before its body is read.
   *
   * @returns the check of its body.
   * @throws PinwheelError `not-authenticated`, `not-allowed`.
   */
  admit(request: IncomingMessage): (body: Uint8Array) => void {
    const verifier = this.#verifier;
    const gate = this.#gate;
    const proof = String(request.headers[headers.proof] ?? '');
    const authorization = request.headersDistinct['authorization'] ?? [];
    if (gate !== undefined && (proof === '' || verifier === undefined)) {
      gate.admit({ authorization, query: splitTarget(request.url ?? '').query }, 'admin');
      return open;
    }
    if (verifier === undefined) {
      const { host } = this.#options;
      if (isLoopback(host)) {
        refuseForeignPage(headerOf(request, 'origin'));
        return open;
      }
      throw new PinwheelError(
        'not-authenticated',
        `the admin port listens on ${host}, and this edge has no keys to know operators by; give keys or apiKeys`,
      );
    }
    if (gate !== undefined && authorization.length > 0) {
      throw refuseBoth();
    }
    const digest = verifier.verify(
      {
        method: request.method ?? '',
        target: request.url ?? '',
        to: this.#options.self,
        headers: boundHeaders((name) => headerOf(request, name)),
      },
      proof,
    );
    return (body) => checkBody(digest, body);
  }
}

function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : value?.join(', ');
}
