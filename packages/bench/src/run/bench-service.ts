import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StaticMember } from '@pinwheel/membership';
import type { StrategyName, StrategySettings } from '@pinwheel/strategy';
import { Child } from '../load/child.js';
import { freePorts } from '../load/free-ports.js';
import { type LocalMember, localMembers } from '../load/local-members.js';
import { takesConnections } from '../load/takes-connections.js';
import { userNames } from '../load/users.js';
import type { Contender } from '../result.js';
import type { CheckedBenchOptions } from './bench-options.js';
import type { ClientsProcessOptions, ClientsQuestion } from './clients-questions.js';
import type { BenchRedis } from './own-redis.js';
import { ProbedMembers } from './probed-members.js';
import { type Program, startProgram } from './program.js';
import type { SenderProcessOptions, SenderQuestion } from './sender-questions.js';
import { until } from './until.js';

const startMs = 60_000;
/** Longer than a node takes to drain, whatever its pace. */
const drainMs = 90_000;
/** Changes come by the file; processes that ask one another all the time would cost more than what is measured. */
const rarely = '?poll-ms=30000';

export interface BenchNode {
  readonly member: StaticMember;
  readonly program: Program;
}

const strategyOf: Readonly<Record<Contender, StrategyName>> = {
  ring: 'ring',
  registry: 'registry',
  broadcast: 'broadcast',
  'broadcast-unbatched': 'broadcast',
};

/** Everything that one contender needs, each part a process of its own. */
export class BenchService {
  readonly contender: Contender;
  readonly redis: BenchRedis | undefined;
  readonly nodes = new Map<string, BenchNode>();
  readonly edges: Program[] = [];
  /** Nodes that drain. */
  readonly #leaving = new Set<Program>();
  readonly #removeFolder = (): void => rmSync(this.#folder, { recursive: true, force: true });
  #edgePorts: readonly number[] = [];
  readonly #options: CheckedBenchOptions;
  readonly #folder: string;
  readonly #members: ProbedMembers;
  readonly #settings: StrategySettings;
  #sender: Child<SenderQuestion, unknown> | undefined;
  #clients: Child<ClientsQuestion, unknown> | undefined;

  private constructor(
    contender: Contender,
    options: CheckedBenchOptions,
    redis: BenchRedis | undefined,
    folder: string,
  ) {
    this.contender = contender;
    this.#options = options;
    this.redis = contender === 'ring' ? undefined : redis;
    this.#folder = folder;
    this.#members = new ProbedMembers(folder);
    process.once('exit', this.#removeFolder);
    const prefix = `bench-${process.pid}-${Date.now().toString(36)}`;
    this.#settings = {
      strategy: strategyOf[contender],
      prefix,
      ...(this.redis === undefined ? {} : { redis: this.redis.url }),
    };
  }

  /** Resolves when all users are connected. */
  static async start(
    contender: Contender,
    nodes: number,
    options: CheckedBenchOptions,
    redis: BenchRedis | undefined,
  ): Promise<BenchService> {
    const folder = await mkdtemp(join(tmpdir(), 'pinwheel-bench-'));
    const service = new BenchService(contender, options, redis, folder);
    try {
      await service.#startNodes(Array.from({ length: nodes }, (_, i) => `n${i + 1}`));
      await service.#startEdges();
      await service.#startLoad();
      return service;
    } catch (thrown) {
      await service.stop();
      throw thrown;
    }
  }

  get sender(): Child<SenderQuestion, unknown> {
    return this.#sender!;
  }

  get clients(): Child<ClientsQuestion, unknown> {
    return this.#clients!;
  }

  /** One more; resolves when it is in the ring of everybody. */
  async join(id: string): Promise<void> {
    const [member] = await localMembers([id]);
    await this.#members.expect(member!);
    this.#startNode(member!);
    await this.ringOf([...this.nodes.keys()]);
  }

  /** Resolves when every node goes by the ring of these. */
  async ringOf(ids: readonly string[]): Promise<void> {
    const wanted = ids.toSorted().join(' ');
    await until(
      `every node goes by the ring of ${wanted}`,
      async () => {
        this.#checkPrograms();
        if (this.#members.ids.toSorted().join(' ') !== wanted) return false;
        const nodes = ids.map((id) => this.nodes.get(id)!);
        const rings = await Promise.all(nodes.map(({ member }) => ringAt(member.port)));
        return rings.every((ring) => ring === wanted);
      },
      startMs,
    );
  }

  /** It is none of the nodes from here on; {@link left} waits for its end. @throws Error (rejects) when it refuses. */
  async drain(id: string): Promise<void> {
    const { member, program } = this.nodes.get(id)!;
    const answer = await fetch(`http://127.0.0.1:${member.port}/v1/drain`, { method: 'POST' });
    if (!answer.ok) throw new Error(`node ${id} does not drain: ${answer.status} ${await answer.text()}`);
    this.nodes.delete(id);
    this.#leaving.add(program);
  }

  /** Resolves when the nodes that drain have ended: what comes next is not measured beside them. */
  async left(): Promise<void> {
    for (const program of this.#leaving) {
      await until('a node that drains has ended', () => program.hasEnded, drainMs);
      this.#leaving.delete(program);
    }
  }

  async stop(): Promise<void> {
    await this.#members.stop();
    this.#clients?.stop();
    this.#sender?.stop();
    const programs = [
      ...this.edges,
      ...this.#leaving,
      ...[...this.nodes.values()].map(({ program }) => program),
    ];
    await Promise.all(programs.map((program) => program.kill()));
    process.off('exit', this.#removeFolder);
    this.#removeFolder();
  }

  async #startNodes(ids: readonly string[]): Promise<void> {
    const members = await localMembers(ids);
    await this.#members.begin(members);
    for (const member of members) this.#startNode(member);
    await this.ringOf(ids);
  }

  #startNode(member: LocalMember): void {
    const { id, port, wsPort } = member;
    const words = ['node', '--id', id, '--port', String(port), '--ws-port', String(wsPort)];
    const where = ['--membership', `static:${this.#members.pathFor(id)}${rarely}`, '--log-level', 'error'];
    this.nodes.set(id, { member, program: this.#run([...words, ...where, ...this.#strategyWords()]) });
  }

  async #startEdges(): Promise<void> {
    const ports = await freePorts(this.#options.edges);
    for (const [i, port] of ports.entries()) {
      const words = ['edge', '--id', `e${i + 1}`, '--port', String(port), '--log-level', 'error'];
      const program = this.#run([...words, '--membership', `static:${this.#members.path}${rarely}`]);
      this.edges.push(program);
      await until(
        `edge e${i + 1} takes clients`,
        () => {
          this.#checkPrograms();
          return takesConnections(port);
        },
        startMs,
      );
    }
    this.#edgePorts = ports;
  }

  async #startLoad(): Promise<void> {
    const { users, payloadBytes, outstanding } = this.#options;
    const senderOptions: SenderProcessOptions = {
      strategy: this.#settings,
      ...(this.contender === 'broadcast-unbatched' ? { maxMessagesPerPost: 1 } : {}),
      members: this.#members.path,
      users,
      payloadBytes,
      outstanding,
    };
    const clientsOptions: ClientsProcessOptions = {
      way: this.#edgePorts.length > 0 ? { ports: this.#edgePorts } : { members: this.#members.path },
      isAnywhere: this.#settings.strategy !== 'ring',
      payloadBytes,
    };
    const start = <Question>(script: string, options: object): Promise<Child<Question, unknown>> =>
      Child.start(new URL(script, import.meta.url), [JSON.stringify(options)]);
    const sender = start<SenderQuestion>('./sender-process.js', senderOptions).then((child) => {
      this.#sender = child;
    });
    const clients = start<ClientsQuestion>('./clients-process.js', clientsOptions).then((child) => {
      this.#clients = child;
    });
    // when one fails, the other one has to be known, to be stopped
    const [ofSender, ofClients] = await Promise.allSettled([sender, clients]);
    for (const started of [ofSender, ofClients]) if (started.status === 'rejected') throw started.reason;
    const feedbackPort = await this.sender.ask<number>({ kind: 'feedback-port' });
    await this.clients.ask({ kind: 'connect', users: userNames(users), feedbackPort });
  }

  #strategyWords(): readonly string[] {
    const { strategy, redis, prefix } = this.#settings;
    const queue = redis === undefined ? [] : ['--redis', redis, '--queue-prefix', prefix!];
    return ['--strategy', strategy!, ...queue];
  }

  #run(words: readonly string[]): Program {
    const [program, ...first] = this.#options.command;
    return startProgram(program, [...first, ...words]);
  }

  #checkPrograms(): void {
    for (const [id, { program }] of this.nodes) {
      if (program.hasEnded) throw new Error(`node ${id} has ended: ${program.lastWords}`);
    }
    for (const { hasEnded, lastWords } of this.edges) {
      if (hasEnded) throw new Error(`an edge has ended: ${lastWords}`);
    }
  }
}

async function ringAt(port: number): Promise<string> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/v1/ring`);
    const { members } = (await answer.json()) as { readonly members: readonly { readonly id: string }[] };
    return members
      .map(({ id }) => id)
      .toSorted()
      .join(' ');
  } catch {
    return '';
  }
}
