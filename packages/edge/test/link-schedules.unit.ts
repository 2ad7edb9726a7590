import type { AttachRequest } from '@pinwheel/protocol';
import fc from 'fast-check';
import t from 'tap';
import { seeded } from '../../../test/kit/seeded.js';
import { attachedOf, type Dialled, type FakeClient, member, u32, World } from './link-world.js';

const ids = ['n1', 'n2', 'n3'];
const mostClients = 8;
const mostSent = 200;

/** A user with one client, and what all nodes together know of it: they hand it over without a fault, the edge is tried. */
class User {
  readonly name: string;
  readonly client: FakeClient;
  readonly isV1: boolean;
  /** Messages to it, as their numbers in its stream; it has got those behind `start`. */
  end = 0;
  start: number | undefined;
  readonly got: number[] = [];
  /** Messages from it. */
  sent = 0;
  readonly processed: number[] = [];
  pin: { readonly link: Dialled; readonly number: number } | undefined;

  constructor(name: string, client: FakeClient, isV1: boolean) {
    this.name = name;
    this.client = client;
    this.isV1 = isV1;
  }
}

/** Clients, links and members come and go as a seed says. */
class Schedule {
  readonly world = new World(ids.map((id) => member(id)));
  readonly users = new Map<string, User>();
  /** Whose clients have ended their sessions. */
  readonly left: User[] = [];
  readonly #random: () => number;
  readonly #read = new Map<Dialled, number>();
  readonly #lost = new Set<Dialled>();
  #connected = 0;

  constructor(seed: number) {
    this.#random = seeded(seed);
  }

  run(steps: number): void {
    for (let i = 0; i < steps; i++) {
      this.#step();
      // some steps fall into one turn
      if (this.#random() < 0.7) this.world.turn();
      this.#nodesAnswer(0.7);
    }
  }

  /** Every member is there and answers, every client reads: what is due must come. */
  settle(): void {
    this.world.setMembers(ids.map((id) => member(id)));
    for (const { client } of this.users.values()) {
      client.isFull = false;
      client.session.drained();
    }
    for (let i = 0; i < 60; i++) {
      this.world.advance(100);
      for (let j = 0; j < 3; j++) this.#nodesAnswer(1);
    }
    for (const { pin, processed } of this.#known())
      pin?.link.says((node) => node.taken(pin.number, processed.length));
    for (const user of this.users.values()) this.#look(user);
  }

  #step(): void {
    const user = this.#pick(this.users.values());
    const what = this.#random();
    if (user === undefined || (what < 0.08 && this.users.size < mostClients)) this.#connect();
    else if (what < 0.1) this.#leave(user);
    else if (what < 0.4) this.#sendTo(user);
    else if (what < 0.6) this.#sendFrom(user);
    else if (what < 0.7) this.#repin(user);
    else if (what < 0.75) this.#loseLink();
    else if (what < 0.8)
      this.world.setMembers(ids.filter(() => this.#random() < 0.7).map((id) => member(id)));
    else if (what < 0.85) this.#turnReading(user);
    else this.world.advance(this.#random() * 700);
  }

  #connect(): void {
    const name = `user-${++this.#connected}`;
    const isV1 = this.#random() < 0.5;
    const session = `session-${String(this.#connected).padStart(12, '0')}`;
    const client = isV1 ? this.world.v1(name, { session, epoch: 1 }) : this.world.plain(name);
    this.users.set(name, new User(name, client, isV1));
  }

  #leave(user: User): void {
    const code = this.#random() < 0.5 ? 1000 : 1006;
    this.users.delete(user.name);
    const isMeant = code === 1000 || !user.isV1;
    if (isMeant && user.client.closedWith === undefined) this.left.push(user);
    user.client.session.gone(code, '');
  }

  #sendTo(user: User): void {
    user.end++;
    const { pin, end } = user;
    pin?.link.saysInTurn((node) => node.message(pin.number, end, '', true, Buffer.from(u32(end))));
  }

  #sendFrom({ isV1, client, sent }: User): void {
    if (client.closedWith !== undefined || sent >= mostSent) return;
    const number = sent + 1;
    const head = isV1 ? [2, ...u32(number)] : [];
    client.session.received(Buffer.from([...head, ...u32(number)]), true);
    this.users.get(client.session.user)!.sent = number;
  }

  /** The holder sends a session elsewhere, and goes on writing under the number that is over. */
  #repin(user: User): void {
    const { pin } = user;
    if (pin === undefined) return;
    user.pin = undefined;
    const to = this.#random() < 0.1 ? '' : this.#pick(ids)!;
    pin.link.saysInTurn((node) => {
      node.repin(pin.number, to, 'h');
      node.message(pin.number, 1_000_000, '', true, Buffer.from(u32(1_000_000)));
    });
  }

  #loseLink(): void {
    const link = this.#pick(this.world.dials.filter((one) => this.#isAlive(one)));
    if (link === undefined) return;
    this.#lost.add(link);
    this.#forgetPins(link);
    link.lose();
  }

  #turnReading({ client }: User): void {
    client.isFull = !client.isFull;
    if (!client.isFull) client.session.drained();
  }

  #isAlive(link: Dialled): boolean {
    return !this.#lost.has(link) && link.closedWith === undefined;
  }

  #forgetPins(link: Dialled): void {
    for (const user of this.#known()) if (user.pin?.link === link) user.pin = undefined;
  }

  #nodesAnswer(likelihood: number): void {
    for (const link of [...this.world.dials]) {
      if (!this.#isAlive(link)) this.#forgetPins(link);
      if (!this.#isAlive(link) || this.#random() > likelihood) continue;
      if (!this.#read.has(link)) {
        this.#read.set(link, 0);
        link.open();
        link.greet();
      }
      while (this.#isAlive(link) && this.#read.get(link)! < link.said.length) {
        const at = this.#read.get(link)!;
        this.#read.set(link, at + 1);
        this.#hear(link, link.said[at]!);
      }
      this.world.turn();
    }
  }

  #hear(link: Dialled, [name, first, second]: Dialled['said'][number]): void {
    if (name === 'attach') {
      this.#attach(link, first as AttachRequest);
      return;
    }
    const user = this.#known().find(({ pin }) => pin?.link === link && pin.number === first);
    if (user === undefined) return;
    if (name === 'detach' || name === 'closed') user.pin = undefined;
    if (name === 'client') this.#process(user, link, first as number, second as number[]);
  }

  #process(user: User, link: Dialled, pin: number, bytes: readonly number[]): void {
    const number = bytes[1]! | (bytes[2]! << 8);
    const { processed, name } = user;
    if (number > processed.length + 1) throw new Error(`${name}: ${number} behind ${processed.length}`);
    if (number > processed.length) processed.push(bytes[5]! | (bytes[6]! << 8));
    if (this.#random() < 0.7) link.saysInTurn((node) => node.taken(pin, number));
  }

  #attach(link: Dialled, { session: number, user: name, resumes, positions }: AttachRequest): void {
    const user = this.#known().find((one) => one.name === name);
    if (user === undefined) return;
    user.start ??= user.end;
    // who never heard of its first attach goes on where it began
    const from = resumes ? positions.find(({ stream }) => stream === name)!.seq : user.start;
    user.pin = { link, number };
    link.saysInTurn((node) => {
      node.attached(attachedOf(number, { stream: name, seq: from, taken: user.processed.length }));
      for (let seq = from + 1; seq <= user.end; seq++) {
        node.message(number, seq, '', true, Buffer.from(u32(seq)));
      }
    });
  }

  #known(): User[] {
    return [...this.users.values(), ...this.left];
  }

  /** Takes in what has come to a client. */
  #look({ client, isV1, got }: User): void {
    for (const message of client.news()) {
      if (typeof message === 'string' || (isV1 && message[0] === 5)) continue;
      got.push(message.readUInt32LE(isV1 ? 6 : 0));
    }
  }

  #pick<T>(from: Iterable<T>): T | undefined {
    const list = [...from];
    return list[Math.floor(this.#random() * list.length)];
  }
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
}

t.test('whatever comes in whatever order, clients and nodes get everything once and in order', async (t) => {
  let sessions = 0;
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const schedule = new Schedule(seed);
      schedule.run(300);
      schedule.settle();
      const { core } = schedule.world;
      const open = [...schedule.users.values()].filter(({ client }) => client.closedWith === undefined);
      sessions += open.length;
      const faults = open.flatMap(({ name, got, sent, processed, start, end }) => [
        ...(String(got) === String(range((start ?? 0) + 1, end)) ? [] : [`${name} has got ${got} of ${end}`]),
        ...(String(processed) === String(range(1, sent)) ? [] : [`${processed} of ${sent} were processed`]),
      ]);
      for (const { name, sent, processed } of schedule.left)
        if (String(processed) !== String(range(1, sent)))
          faults.push(`${processed} of ${sent} of ${name}, who has left, were processed`);
      if (core.status.attached !== open.length) faults.push(`${core.status.attached} are attached`);
      for (const { client } of open) client.session.gone(1000, '');
      if (core.size !== 0) faults.push(`${core.size} sessions are left`);
      core.close();
      if (faults.length > 0) throw new Error(faults.join('\n'));
    }),
    { numRuns: Number(process.env['PINWHEEL_SCHEDULES'] ?? 150) },
  );
  t.ok(sessions > 100, `${sessions} sessions were open at the end`);
});
