import { lookup } from 'node:dns';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import { PinwheelError } from '@pinwheel/protocol';
import Consul from 'consul';
import { reasonOf } from '../log/reason-of.js';
import { ConsulReads } from './consul-reads.js';

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
  readonly signal?: AbortSignal | undefined;
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
    readonly status: 'passing' | 'critical';
    readonly deregistercriticalserviceafter: string;
  };
}

export interface AgentEntry {
  readonly service: string;
  readonly tags: readonly unknown[];
  readonly meta: Readonly<Record<string, unknown>>;
}

interface RawAgentEntry {
  readonly Service?: unknown;
  readonly Tags?: unknown;
  readonly Meta?: unknown;
}

/** The client has its host from a URL, in which an IPv6 address has brackets. */
const lookupOfUrl: LookupFunction = (hostname, options, found) =>
  lookup(hostname.replace(/^\[(.*)\]$/, '$1'), options, found);

/** The few calls that membership makes, each with a deadline. They reject with a PinwheelError `membership`. */
export class ConsulCalls {
  readonly #client: Consul;
  readonly #reads: ConsulReads;
  readonly #address: ConsulAddress;
  readonly #where: string;

  constructor(address: ConsulAddress) {
    this.#address = address;
    this.#where = `Consul at ${address.host}:${address.port}`;
    const host = address.host.includes(':') ? `[${address.host}]` : address.host;
    const { Agent } = address.secure ? https : http;
    const agent = new Agent({ keepAlive: true, lookup: lookupOfUrl });
    this.#client = new Consul({ host, port: address.port, secure: address.secure, agent });
    this.#reads = new ConsulReads(`${address.secure ? 'https' : 'http'}://${host}:${address.port}`);
  }

  /** Passing entries only; a member that drains goes on passing until it leaves. */
  async health(read: HealthRead): Promise<HealthAnswered> {
    const { service, tag, stale, index, waitMs, timeoutMs, signal } = read;
    try {
      const answered = await this.#reads.read({
        path: `/health/service/${encodeURIComponent(service)}`,
        query: {
          passing: 'true',
          ...(tag === undefined ? {} : { tag }),
          ...(stale ? { stale: '1' } : {}),
          ...(index === undefined ? {} : { index, wait: `${Math.round(waitMs)}ms` }),
        },
        token: await this.#token(),
        timeoutMs,
        signal,
      });
      if (!Array.isArray(answered.body)) throw new Error('the answer is not a list of services');
      // a part of the members would be another ring than everybody else's
      if (answered.isFiltered)
        throw new Error(
          `entries are left out that the token may not see; it needs service:read for ${service} and node:read for all nodes`,
        );
      return { index: answered.index, entries: answered.body };
    } catch (error) {
      throw this.#failed(`reading service ${service}`, error);
    }
  }

  async register(entry: ServiceEntry, timeoutMs: number): Promise<void> {
    try {
      const options = { ...entry, ...(await this.#withToken()), timeout: timeoutMs };
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
        ...(await this.#withToken()),
        ...{ timeout: timeoutMs },
      });
    } catch (error) {
      const { response } = error as { response?: { statusCode?: number; body?: unknown } };
      if (response?.statusCode === 404 || /unknown service/i.test(String(response?.body))) return;
      throw this.#failed(`deregistering ${id}`, error);
    }
  }

  /** An entry of this agent, of whichever service; `undefined` when it is not there. */
  async entryOf(id: string, timeoutMs: number): Promise<AgentEntry | undefined> {
    try {
      const { body: services } = await this.#reads.read({
        path: '/agent/services',
        query: { filter: `ID == "${id}"` },
        token: await this.#token(),
        timeoutMs,
      });
      if (typeof services !== 'object' || services === null || Array.isArray(services)) {
        throw new Error('the answer is not a table of services');
      }
      if (!Object.hasOwn(services, id)) return undefined;
      const { Service, Tags, Meta } = (services as Record<string, RawAgentEntry | null>)[id] ?? {};
      return {
        service: typeof Service === 'string' ? Service : '',
        tags: Array.isArray(Tags) ? Tags : [],
        meta: typeof Meta === 'object' && Meta !== null ? { ...Meta } : {},
      };
    } catch (error) {
      throw this.#failed(`looking for ${id}`, error);
    }
  }

  /** Ends connections that are kept open; a later call opens new ones. */
  close(): void {
    this.#client.destroy();
    this.#reads.close();
  }

  async #token(): Promise<string | undefined> {
    const { token, tokenFile } = this.#address;
    if (token !== undefined || tokenFile === undefined) return token;
    try {
      return (await readFile(tokenFile, 'utf8')).trim();
    } catch (cause) {
      throw new Error(`cannot read token-file ${tokenFile}: ${reasonOf(cause)}`, { cause });
    }
  }

  async #withToken(): Promise<{ token?: string }> {
    const token = await this.#token();
    return token === undefined ? {} : { token };
  }

  #failed(doing: string, error: unknown): PinwheelError {
    const text = `${this.#where}: ${doing} failed: ${reasonOf(error)}`;
    return new PinwheelError('membership', text, { cause: error });
  }
}
