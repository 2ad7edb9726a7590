import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@pinwheel/bench/load/free-ports.js';
import { toolPath } from '../tools/fetch.js';
import { standStill } from './stand-still.js';
import { until } from './until.js';

/** What the kit needs of a test: tap's `t` fits. */
export interface Teardown {
  teardown(end: () => void | Promise<void>): void;
}

/** A real Consul agent in development mode: one server, all data in memory. */
export interface TestConsul {
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  /** `consul://127.0.0.1:8500/chat` */
  url(service: string): string;
  /** SIGKILL; with the process all data is gone. */
  stop(): Promise<void>;
  /** A new agent on the same ports, after `stop`; it knows nothing. */
  start(): Promise<void>;
  /** Stands still: connections are accepted, nothing is answered. */
  pause(): Promise<void>;
  resume(): void;
  /** One call of the HTTP API, `/v1/…`; rejects on a status that is not 2xx. */
  api(method: 'GET' | 'PUT', path: string, body?: unknown): Promise<unknown>;
  /** Registers any service instance as the API takes it: `{ Name, ID, Address, Port, Meta, … }`. */
  register(entry: Readonly<Record<string, unknown>>): Promise<void>;
  deregister(id: string): Promise<void>;
}

/** Resolves when the agent leads and takes registrations. It ends with the test, and so does its data. */
export async function startConsul(t: Teardown): Promise<TestConsul> {
  const consul = new Agent({
    http: await freePort(),
    server: await freePort(),
    serfLan: await freePort(),
    serfWan: await freePort(),
    dns: await freePort(),
  });
  t.teardown(() => consul.stop());
  await consul.start();
  return consul;
}

interface AgentPorts {
  readonly http: number;
  readonly server: number;
  readonly serfLan: number;
  readonly serfWan: number;
  readonly dns: number;
}

class Agent implements TestConsul {
  readonly host = '127.0.0.1';
  readonly #ports: AgentPorts;
  #running: { readonly process: ChildProcess; readonly folder: string; output: string } | undefined;

  constructor(ports: AgentPorts) {
    this.#ports = ports;
  }

  get port(): number {
    return this.#ports.http;
  }

  get pid(): number {
    return this.#running?.process.pid ?? 0;
  }

  url(service: string): string {
    return `consul://${this.host}:${this.port}/${service}`;
  }

  async start(): Promise<void> {
    const { http, server, serfLan, serfWan, dns } = this.#ports;
    const folder = await mkdtemp(join(tmpdir(), 'pinwheel-consul-'));
    const args = [
      ...['agent', '-dev', '-bind=127.0.0.1', '-client=127.0.0.1', '-log-level=warn', '-node=test-agent'],
      ...[`-http-port=${http}`, `-server-port=${server}`, `-dns-port=${dns}`, '-grpc-port=-1'],
      ...[`-serf-lan-port=${serfLan}`, `-serf-wan-port=${serfWan}`],
      // gone and back on the same ports: the raft timings of a single server need not be patient
      ...['-hcl=disable_update_check = true', '-hcl=performance { raft_multiplier = 1 }'],
    ];
    const process = spawn(toolPath('consul'), args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    const running = { process, folder, output: '' };
    const keep = (chunk: Buffer): void => {
      running.output = `${running.output}${chunk.toString()}`.slice(-4_000);
    };
    process.stdout.on('data', keep);
    process.stderr.on('data', keep);
    process.on('error', (error) => keep(Buffer.from(error.message)));
    this.#running = running;
    await until(
      `consul leads on port ${http}`,
      async () => {
        if (process.exitCode !== null)
          throw new Error(`consul ended with ${process.exitCode}: ${running.output}`);
        const leader = await this.api('GET', '/v1/status/leader');
        const nodes = await this.api('GET', '/v1/catalog/nodes');
        return leader !== '' && Array.isArray(nodes) && nodes.length > 0;
      },
      { everyMs: 25, deadlineMs: 30_000 },
    );
  }

  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    if (running === undefined) return;
    const { process, folder } = running;
    if (process.exitCode === null && process.signalCode === null && process.pid !== undefined) {
      const ended = once(process, 'exit');
      process.kill('SIGKILL');
      await ended;
    }
    await rm(folder, { recursive: true, force: true });
  }

  pause(): Promise<void> {
    return standStill(this.#running!.process);
  }

  resume(): void {
    this.#running?.process.kill('SIGCONT');
  }

  async api(method: 'GET' | 'PUT', path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`http://${this.host}:${this.port}${path}`, {
      method,
      signal: AbortSignal.timeout(5_000),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  }

  async register(entry: Readonly<Record<string, unknown>>): Promise<void> {
    await this.api('PUT', '/v1/agent/service/register', entry);
  }

  async deregister(id: string): Promise<void> {
    await this.api('PUT', `/v1/agent/service/deregister/${encodeURIComponent(id)}`);
  }
}
