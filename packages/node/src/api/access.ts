import { headers } from '@pinwheel/protocol';
import { type HttpRequest, refuseForeignPage } from '@pinwheel/server';
import {
  ApiKeyGate,
  type ApiKeySource,
  type Key,
  type KeyNeed,
  type KeySource,
  refuseBoth,
  Verifier,
} from '@pinwheel/trust';
import { callOf } from '../http/call-of.js';
import type { Exchange } from '../http/exchange.js';
import type { Need } from './api-routes.js';

/** Operators' calls are taken from API keys on the admin port only: fewer can reach that one. */
export type PortKind = 'internal' | 'admin';

export interface AccessOptions {
  /** Id of this node. */
  readonly self: string;
  readonly keys: KeySource | undefined;
  readonly apiKeys: ApiKeySource | undefined;
}

/** Who may call a node: processes of the service by a proof, others by an API key; without keys, whoever reaches it and is no page of others. */
export class Access {
  /** Missing where there are no API keys. */
  readonly gate: ApiKeyGate | undefined;
  readonly #self: string;
  readonly #verifier: Verifier | undefined;

  constructor({ self, keys, apiKeys }: AccessOptions) {
    this.#self = self;
    this.#verifier = keys === undefined ? undefined : new Verifier(keys);
    this.gate = apiKeys === undefined ? undefined : new ApiKeyGate(apiKeys);
  }

  /**
   * Lets a call in. To be called before the handler first returns.
   *
   * @throws PinwheelError `not-authenticated`, `not-allowed`.
   */
  admit(exchange: Exchange, request: HttpRequest, need: Need, port: PortKind): void {
    if (need === 'nothing') return;
    const { gate } = this;
    if (gate === undefined || request.getHeader(headers.proof) !== '') {
      if (gate !== undefined && request.getHeader('authorization') !== '') {
        throw refuseBoth();
      }
      if (this.#verifier === undefined) refuseForeignPage(request.getHeader('origin'));
      else exchange.prove(this.#verifier, this.#self, request);
      return;
    }
    const call = { authorization: authorizationsOf(request), query: exchange.query };
    exchange.admitted(gate.admit(call, keyNeed(need, port)));
  }

  /**
   * Has a link prove that it is of an edge of this service.
   *
   * @returns the key by which it has; `undefined` where there are none.
   * @throws PinwheelError `not-authenticated`, `not-allowed`.
   */
  proveLink(request: HttpRequest): Key | undefined {
    if (this.#verifier === undefined) refuseForeignPage(request.getHeader('origin'));
    this.prove(request);
    return this.#verifier?.keyOf(request.getHeader(headers.proof));
  }

  /**
   * Has a tunnel prove that it is of an edge of this service; what a page's origin is, the edge has judged.
   *
   * @throws PinwheelError `not-authenticated`.
   */
  prove(request: HttpRequest): void {
    this.#verifier?.verify(callOf(request, this.#self), request.getHeader(headers.proof));
  }
}

function keyNeed(need: Exclude<Need, 'nothing'>, port: PortKind): KeyNeed {
  if (need === 'anything') return 'any';
  if (need === 'proof') return { refused: 'this is between nodes; no API key may do it' };
  if (need !== 'admin' || port === 'admin') return need;
  return { refused: 'this needs the scope admin and the admin port of the node (--admin-port)' };
}

/** All that came: whoever reads the first of two and whoever reads the last one would see different callers. */
function authorizationsOf(request: HttpRequest): readonly string[] {
  const found: string[] = [];
  request.forEach((name, value) => {
    if (name === 'authorization') found.push(value);
  });
  return found;
}
