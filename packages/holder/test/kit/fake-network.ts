import type { Holder } from '../../src/holder.js';
import type { PeerAnswer, Peers } from '../../src/moves/peers.js';

export type CallKind = 'claim' | 'prepare' | 'commit';

export interface Call {
  readonly kind: CallKind;
  readonly from: string;
  readonly to: string;
  readonly users: readonly string[];
}

/**
 * What becomes of a call. `lose-…`: it is lost on that way, and the caller is told so at once; `hold-…`: it waits
 * there until the test lets it go.
 */
export type Fate = 'pass' | 'lose-request' | 'lose-answer' | 'hold-request' | 'hold-answer';

/** A call that waits. */
export interface HeldCall extends Call {
  /** It goes on. */
  go(): void;
  /** The caller gives it up; it may go on all the same, and its answer is lost. */
  giveUp(): void;
}

/** The calls between the nodes of a cluster, as JSON. */
export class FakeNetwork {
  readonly #processes = new Map<string, Holder>();
  /** Every call that was made, in order. */
  readonly calls: Call[] = [];
  readonly held: HeldCall[] = [];
  fateOf: (call: Call) => Fate = () => 'pass';

  listen(id: string, holder: Holder): void {
    this.#processes.set(id, holder);
  }

  unlisten(id: string): void {
    this.#processes.delete(id);
  }

  /** Calls of that kind so far, as `from>to`. */
  made(kind: CallKind): readonly string[] {
    return this.calls.filter((call) => call.kind === kind).map(({ from, to }) => `${from}>${to}`);
  }

  /** Takes the oldest call that waits. */
  takeHeld(): HeldCall {
    const call = this.held.shift();
    if (call === undefined) throw new Error('no call waits');
    return call;
  }

  peers(from: string): Peers {
    return {
      claim: ({ id }, request) =>
        this.#call('claim', from, id, request, (holder, asked) => holder.claim(asked)),
      prepare: ({ id }, request) =>
        this.#call('prepare', from, id, request, (holder, asked) => holder.prepare(asked)),
      commit: ({ id }, request) =>
        this.#call('commit', from, id, request, (holder, asked) => holder.commit(asked)),
    };
  }

  #call<Request extends { readonly users: readonly (string | { readonly user: string })[] }, Answer>(
    kind: CallKind,
    from: string,
    to: string,
    request: Request,
    serve: (holder: Holder, request: Request) => PeerAnswer<Answer> | Promise<PeerAnswer<Answer>>,
  ): Promise<PeerAnswer<Answer>> {
    const users = request.users.map((one) => (typeof one === 'string' ? one : one.user));
    const call: Call = { kind, from, to, users };
    this.calls.push(call);
    const fate = this.fateOf(call);
    const wire = JSON.stringify(request);
    const arrive = async (): Promise<PeerAnswer<Answer>> => {
      const holder = this.#processes.get(to);
      if (holder === undefined) throw new Error(`nobody listens at ${to}`);
      return JSON.parse(JSON.stringify(await serve(holder, JSON.parse(wire))));
    };
    switch (fate) {
      case 'pass':
        return arrive();
      case 'lose-request':
        return Promise.reject(new Error(`the ${kind} to ${to} was lost`));
      case 'lose-answer':
        return arrive().then(() => {
          throw new Error(`the answer of ${to} was lost`);
        });
      case 'hold-request':
        return new Promise((resolve, reject) => {
          const go = (): void => void arrive().then(resolve, reject);
          this.held.push({ ...call, go, giveUp: () => reject(new Error(`no answer of ${to} in time`)) });
        });
      case 'hold-answer':
        return new Promise((resolve, reject) => {
          const answer = arrive();
          const go = (): void => void answer.then(resolve, reject);
          this.held.push({ ...call, go, giveUp: () => reject(new Error(`no answer of ${to} in time`)) });
        });
      default:
        throw new TypeError(`unknown fate ${fate satisfies never}`);
    }
  }
}
