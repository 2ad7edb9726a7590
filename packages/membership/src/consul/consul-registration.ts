import { PinwheelError } from '@pinwheel/protocol';
import type { Member, Registered, Registration } from '../member/contract.js';
import { authorityOf } from '../member/member-fields.js';
import { backoffMs } from '../time/backoff.js';
import { sleep } from '../time/sleep.js';
import type { AgentEntry, ConsulCalls, ServiceEntry } from './consul-calls.js';
import { metaKeys } from './consul-entry.js';

export interface ConsulRegistrationOptions {
  readonly service: string;
  readonly tag: string | undefined;
  readonly checkIntervalMs: number;
  readonly checkTimeoutMs: number;
  readonly deregisterAfterMs: number;
  /** Deadline of registering, of `drain` and of `leave`, retries included, in ms. */
  readonly deadlineMs: number;
  /** Pause between two looks at whether the entry is still there, in ms, ±20 %. */
  readonly verifyMs: number;
  /** Reads the list anew: who is in it under an id, whichever agent has the entry. Rejects past the deadline. */
  readonly listedNow: (id: string, timeoutMs: number) => Promise<Member | undefined>;
  readonly trouble: (error: PinwheelError) => void;
  /** Another process is registered under the id. */
  readonly conflict: (entry: { readonly id: string; readonly reason: string }) => void;
}

const callTimeoutMs = 2_000;
const retry = { firstMs: 200, longestMs: 2_000 } as const;

/** What Consul is told about a node. Registering it again changes `Meta` and leaves the check's state as it is. */
export function serviceEntry(
  self: Registration,
  draining: boolean,
  options: ConsulRegistrationOptions,
  status: ServiceEntry['check']['status'],
): ServiceEntry {
  return {
    name: options.service,
    id: self.id,
    address: self.address,
    port: self.port,
    tags: options.tag === undefined ? [] : [options.tag],
    meta: {
      ...(self.wsPort === undefined ? {} : { [metaKeys.wsPort]: String(self.wsPort) }),
      [metaKeys.weight]: String(self.weight),
      [metaKeys.incarnation]: self.incarnation,
      [metaKeys.draining]: String(draining),
      [metaKeys.settingsDigest]: self.settingsDigest,
      [metaKeys.settingsText]: self.settingsText,
    },
    check: {
      name: `healthz of ${self.id}`,
      http: `http://${authorityOf(self.address, self.port)}/healthz`,
      interval: `${options.checkIntervalMs}ms`,
      timeout: `${options.checkTimeoutMs}ms`,
      status,
      deregistercriticalserviceafter: `${options.deregisterAfterMs}ms`,
    },
  };
}

/**
 * A node's own entry. It looks now and then whether the entry is still there, because an agent that lost its data
 * has forgotten it, and enters it again; an entry of another incarnation under the same id, at whichever agent, is left
 * alone and named.
 */
export class ConsulRegistration implements Registered {
  readonly #calls: ConsulCalls;
  readonly #self: Registration;
  readonly #options: ConsulRegistrationOptions;
  readonly #left = new AbortController();
  readonly #abandoned = new AbortController();
  #wake = new AbortController();
  #draining = false;
  /** Since when its own watch has not seen it. */
  #unlistedAt: number | undefined;
  /** Calls that write go one after another: a late registration must not undo a deregistration. */
  #writing: Promise<unknown> = Promise.resolve();

  constructor(calls: ConsulCalls, self: Registration, options: ConsulRegistrationOptions) {
    this.#calls = calls;
    this.#self = self;
    this.#options = options;
  }

  /** Rejects with `membership`, too, when the agent has an entry of another service under the id. */
  async enter(): Promise<void> {
    const { id } = this.#self;
    let other: string | undefined;
    await this.#write(async (timeoutMs) => {
      const entry = await this.#calls.entryOf(id, timeoutMs);
      // of the same service it is one that was left behind: whoever is alive there was asked before
      other = entry && otherService(id, entry, this.#options);
      if (other === undefined) await this.#calls.register(this.#entry(), timeoutMs);
    });
    if (other !== undefined) throw new PinwheelError('membership', `id ${id} is taken by ${other}`);
    void this.#verify();
  }

  async drain(): Promise<void> {
    if (this.#left.signal.aborted) return;
    this.#draining = true;
    // who leaves for good need not say that it is about to
    await this.#write(async (timeoutMs) => {
      const entry = await this.#calls.entryOf(this.#self.id, timeoutMs);
      if ((await this.#whoElse(entry, timeoutMs)) !== undefined) return;
      await this.#calls.register(this.#entry(), timeoutMs);
    }, this.#left.signal);
  }

  async leave(): Promise<void> {
    this.#left.abort();
    await this.#write(async (timeoutMs) => {
      const entry = await this.#calls.entryOf(this.#self.id, timeoutMs);
      // one of another process is left alone; one that is not there yet may come, of a call that was given up
      if (entry !== undefined && entry.meta[metaKeys.incarnation] !== this.#self.incarnation) return;
      await this.#calls.deregister(this.#self.id, timeoutMs);
    });
  }

  /** Whether the node's own watch has it among those that pass; if not, it looks for the entry now. */
  listed(isListed: boolean): void {
    if (isListed) this.#unlistedAt = undefined;
    else {
      this.#unlistedAt ??= performance.now();
      this.#wake.abort();
    }
  }

  /** Ends the looks and every wait without taking the entry out. */
  abandon(): void {
    this.#left.abort();
    this.#abandoned.abort();
  }

  #entry(status: ServiceEntry['check']['status'] = 'passing'): ServiceEntry {
    return serviceEntry(this.#self, this.#draining, this.#options, status);
  }

  /** @param until ends the tries: the last one's error counts. */
  #write(call: (timeoutMs: number) => Promise<void>, until = this.#abandoned.signal): Promise<void> {
    return this.#queued(() => this.#retried(call, until));
  }

  #queued(call: () => Promise<void>): Promise<void> {
    const done = this.#writing.then(call);
    this.#writing = done.catch(() => {});
    return done;
  }

  async #retried(call: (timeoutMs: number) => Promise<void>, until: AbortSignal): Promise<void> {
    const deadline = performance.now() + this.#options.deadlineMs;
    for (let failures = 1; ; failures++) {
      try {
        return await call(Math.max(1, Math.min(callTimeoutMs, deadline - performance.now())));
      } catch (error) {
        const pauseMs = backoffMs(failures, retry);
        const isLast = isRefusal(error) || performance.now() + pauseMs >= deadline;
        if (!isLast) await sleep(pauseMs, until);
        if (isLast || until.aborted) throw PinwheelError.from(error, 'membership');
      }
    }
  }

  async #verify(): Promise<void> {
    const { verifyMs, trouble } = this.#options;
    let failures = 0;
    while (!this.#left.signal.aborted) {
      const pauseMs = failures > 0 ? backoffMs(failures, retry) : verifyMs * (0.8 + 0.4 * Math.random());
      await sleep(pauseMs, this.#left.signal, this.#wake.signal);
      // a view without this node may be a moment older than the entry
      if (this.#wake.signal.aborted) await sleep(200 * Math.random(), this.#left.signal);
      if (this.#left.signal.aborted) return;
      this.#wake = new AbortController();
      try {
        await this.#queued(() => this.#restore());
        failures = 0;
      } catch (error) {
        failures++;
        trouble(PinwheelError.from(error, 'membership'));
      }
    }
  }

  async #restore(): Promise<void> {
    const { id } = this.#self;
    const entry = await this.#calls.entryOf(id, callTimeoutMs);
    const other = await this.#whoElse(entry, callTimeoutMs);
    if (this.#left.signal.aborted) return;
    if (other !== undefined) {
      this.#options.conflict({ id, reason: `id ${id} is registered by ${other}` });
      return;
    }
    if (entry?.meta[metaKeys.draining] === String(this.#draining)) return;
    const status = entry === undefined && this.#hasFailed ? 'critical' : 'passing';
    await this.#calls.register(this.#entry(status), callTimeoutMs);
  }

  /**
   * Its check was failing before the entry was gone: it is Consul that took it out, and it comes back when its check
   * passes. To an agent that lost its data it is gone from one moment to the next.
   */
  get #hasFailed(): boolean {
    const { checkIntervalMs, checkTimeoutMs } = this.#options;
    const unlistedMs = performance.now() - (this.#unlistedAt ?? performance.now());
    return unlistedMs > 2 * (checkIntervalMs + checkTimeoutMs);
  }

  /**
   * Who has the id, and what to do; `undefined` when this process may write under it. One that stood still, so that its agent
   * took its entry out, may have been replaced at another agent: an entry made now would be the newest, and everybody's. So
   * the list is read anew then, as what was heard of it is older than that.
   */
  async #whoElse(entry: AgentEntry | undefined, timeoutMs: number): Promise<string | undefined> {
    const { id, incarnation } = this.#self;
    if (entry !== undefined) {
      const named = entry.meta[metaKeys.incarnation];
      if (named === incarnation) return undefined;
      return (
        otherService(this.#self.id, entry, this.#options) ??
        `another process (incarnation ${String(named)}); ${oneOfTwo}`
      );
    }
    const listed = await this.#options.listedNow(id, timeoutMs);
    if (listed === undefined || listed.incarnation === incarnation) return undefined;
    const { address, port } = listed;
    return `another process (incarnation ${listed.incarnation}) at ${authorityOf(address, port)}; ${oneOfTwo}`;
  }
}

const oneOfTwo = 'ids must be unique: end one of the two or give it another id';

/** The service whose entry it is, when that is not ours, and what to do: an agent keeps one entry an id, whatever the service. */
function otherService(
  id: string,
  { service, tags }: AgentEntry,
  ours: { readonly service: string; readonly tag: string | undefined },
): string | undefined {
  if (service === ours.service && (ours.tag === undefined || tags.includes(ours.tag))) return undefined;
  const tagged = tags.length === 0 ? '' : ` (${tags.join(', ')})`;
  return `service ${service}${tagged} at this Consul agent, where ids are unique across services; give this node another id, or take that entry out if its node is no more (consul services deregister -id ${id})`;
}

/** An answer that asking again does not change: a malformed entry, a token without the right. */
function isRefusal(error: unknown): boolean {
  const { cause } = error as { cause?: { response?: { statusCode?: number } } };
  const status = cause?.response?.statusCode ?? 0;
  return status >= 400 && status < 500 && status !== 429;
}
