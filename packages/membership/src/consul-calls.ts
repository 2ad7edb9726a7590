import { EventEmitter } from 'node:events';
import { readFile } from 'node:fs/promises';
import { PinwheelError } from '@pinwheel/protocol';
import Consul from 'consul';

export interface ConsulAddress {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  readonly token: string | undefined;
  /** Read anew for every call, so that a token can be changed under a running process. */
  readonly tokenFile: string | undefined;
}

export interface HealthRead {
  readonly service: string;
  readonly tag: string | undefined;
  readonly stale: boolean;
  /** Waits for a change after this index; missing: answers at once. */
  readonly index: string | undefined;
  readonly waitMs: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface HealthAnswered {
  readonly index: string | undefined;
  readonly entries: readonly unknown[];
}

export interface ServiceEntry {
  readonly name: string;
  readonly id: string;
  readonly address: string;
  readonly port: number;
  readonly tags: string[];
  readonly meta: Record<string, string>;
  readonly check: {
    readonly name: string;
    readonly http: string;
    readonly interval: string;
    readonly timeout: string;
    readonly status: 'passing';
    readonly deregistercriticalserviceafter: string;
  };
}

/** The few calls that membership makes, each with a deadline. They reject with a PinwheelError `membership`. */
export class ConsulCalls {
  readonly #client: Consul;
  readonly #address: ConsulAddress;
  readonly #where: string;

  constructor(address: ConsulAddress) {
    this.#address = address;
    this.#where = `Consul at ${address.host}:${address.port}`;
    const host = address.host.includes(':') ? `[${address.host}]` : address.host;
    this.#client = new Consul({ host, port: address.port, secure: address.secure });
  }

  /** Passing entries only; a member that drains goes on passing until it leaves. */
  async health(read: HealthRead): Promise<HealthAnswered> {
    const { service, tag, stale, index, waitMs, timeoutMs, signal } = read;
    // papi, which the client is made of, cancels a call by an event of its context
    const context = Object.assign(new EventEmitter(), { includeResponse: true });
    const cancel = (): boolean => context.emit('cancel');
    signal.addEventListener('abort', cancel);
    try {
      const options = {
        service,
        passing: true,
        ...(tag === undefined ? {} : { tag }),
        ...(stale ? { stale: true } : {}),
        ...(index === undefined ? {} : { index, wait: `${Math.round(waitMs)}ms` }),
        ...(await this.#token()),
        timeout: timeoutMs,
        ctx: context,
      };
      if (signal.aborted) throw new Error('the watch was ended');
      const answered: unknown = await this.#client.health.service(options);
      const [response, body] = answered as [{ headers?: Record<string, unknown> }, unknown];
      if (!Array.isArray(body)) throw new Error('the answer is not a list of services');
      const header = response.headers?.['x-consul-index'];
      return { index: typeof header === 'string' ? header : undefined, entries: body };
    } catch (error) {
      throw this.#failed(`reading service ${service}`, error);
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  async register(entry: ServiceEntry, timeoutMs: number): Promise<void> {
    try {
      const options = { ...entry, ...(await this.#token()), timeout: timeoutMs };
      await this.#client.agent.service.register(options);
    } catch (error) {
      throw this.#failed(`registering ${entry.id}`, error);
    }
  }

  /** An entry that is not there is as good as taken out. */
  async deregister(id: string, timeoutMs: number): Promise<void> {
    try {
      await this.#client.agent.service.deregister({
        id,
        ...(await this.#token()),
        ...{ timeout: timeoutMs },
      });
    } catch (error) {
      const { response } = error as { response?: { statusCode?: number; body?: unknown } };
      if (response?.statusCode === 404 || /unknown service/i.test(String(response?.body))) return;
      throw this.#failed(`deregistering ${id}`, error);
    }
  }

  /** `Meta` of an entry of this agent; `undefined` when it is not there. */
  async metaOf(id: string, timeoutMs: number): Promise<Readonly<Record<string, unknown>> | undefined> {
    try {
      const filter = `ID == "${id}"`;
      const options = { filter, ...(await this.#token()), timeout: timeoutMs };
      const services: unknown = await this.#client.agent.service.list(options);
      if (typeof services !== 'object' || services === null || Array.isArray(services)) {
        throw new Error('the answer is not a table of services');
      }
      if (!Object.hasOwn(services, id)) return undefined;
      const { Meta } = (services as Record<string, { Meta?: unknown }>)[id] ?? {};
      return typeof Meta === 'object' && Meta !== null ? { ...Meta } : {};
    } catch (error) {
      throw this.#failed(`looking for ${id}`, error);
    }
  }

  /** Ends connections that are kept open; a later call opens new ones. */
  close(): void {
    this.#client.destroy();
  }

  async #token(): Promise<{ token?: string }> {
    const { token, tokenFile } = this.#address;
    if (token !== undefined) return { token };
    return tokenFile === undefined ? {} : { token: (await readFile(tokenFile, 'utf8')).trim() };
  }

  #failed(doing: string, error: unknown): PinwheelError {
    const reason =
      error instanceof Error ? error.message || (error as { code?: string }).code : String(error);
    return new PinwheelError('membership', `${this.#where}: ${doing} failed: ${reason}`, { cause: error });
  }
}
