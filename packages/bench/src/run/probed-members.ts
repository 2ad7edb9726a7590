import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseHealthAnswer, type StaticMember } from '@pinwheel/membership';
import { Agent, request } from 'undici';

/** As often as it takes to notice a killed node within a second: it is work of the nodes that are measured. */
const everyMs = 500;
const askTimeoutMs = 500;
/** So many questions in a row without an answer, and a member is out. */
const mostSilences = 2;
/** More of them are forgiven while the first members start. */
const startSilences = 100;

interface Probed {
  member: StaticMember;
  isIn: boolean;
  silences: number;
}

/**
 * Members in files that all processes watch. Each is asked for its health: it is in when it answers, draining when it
 * says so, and out when it stops answering, so that a killed node is noticed, not announced. A node has a file of its own, which names it before it is in.
 */
export class ProbedMembers {
  readonly #folder: string;
  readonly #members = new Map<string, Probed>();
  readonly #connections = new Agent({ connections: 1 });
  #timer: NodeJS.Timeout | undefined;
  #writing = Promise.resolve();
  #isStopped = false;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Those who are in. */
  get ids(): readonly string[] {
    return [...this.#members.values()].filter(({ isIn }) => isIn).map(({ member }) => member.id);
  }

  /** For everybody but the nodes. */
  get path(): string {
    return join(this.#folder, 'members.json');
  }

  pathFor(id: string): string {
    return join(this.#folder, `for-${id}.json`);
  }

  /** The first members, who are in from the start: nobody waits for one after the other. */
  async begin(members: readonly StaticMember[]): Promise<void> {
    for (const member of members)
      this.#members.set(member.id, { member, isIn: true, silences: -startSilences });
    await this.#write();
    this.#timer = setInterval(() => void this.#probe(), everyMs);
  }

  /** Awaits one more; resolves when its file is there. */
  async expect(member: StaticMember): Promise<void> {
    this.#members.set(member.id, { member, isIn: false, silences: 0 });
    await this.#write();
  }

  /** Resolves when nothing is written any more. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#isStopped = true;
    await Promise.all([this.#connections.destroy(), this.#writing]);
  }

  async #probe(): Promise<void> {
    const changed = await Promise.all([...this.#members.values()].map((probed) => this.#ask(probed)));
    if (changed.includes(true) && !this.#isStopped) await this.#write();
  }

  /** Resolves with whether that was news for the others. */
  async #ask(probed: Probed): Promise<boolean> {
    const { id, address, port } = probed.member;
    const draining = await this.#isDraining(address, port);
    if (this.#members.get(id) !== probed) return false;
    if (draining !== undefined) {
      const isNews = !probed.isIn || draining !== (probed.member.draining ?? false);
      if (isNews) probed.member = { ...probed.member, draining };
      probed.isIn = true;
      probed.silences = 0;
      return isNews;
    }
    if (!probed.isIn || ++probed.silences < mostSilences) return false;
    return this.#members.delete(id);
  }

  /** `undefined` when it does not answer as a node. Connections are kept: these questions are asked under a load. */
  async #isDraining(address: string, port: number): Promise<boolean | undefined> {
    try {
      const answer = await request(`http://${address}:${port}/healthz`, {
        dispatcher: this.#connections,
        signal: AbortSignal.timeout(askTimeoutMs),
      });
      return parseHealthAnswer(await answer.body.text())?.draining;
    } catch {
      return undefined;
    }
  }

  /** One after the other, and each file in one go: nobody reads half a list. */
  #write(): Promise<void> {
    this.#writing = this.#writing.then(async () => {
      await this.#writeFile(this.path, undefined);
      for (const id of this.#members.keys()) await this.#writeFile(this.pathFor(id), id);
    });
    return this.#writing;
  }

  async #writeFile(path: string, own: string | undefined): Promise<void> {
    const members = [...this.#members.values()]
      .filter(({ isIn, member }) => isIn || member.id === own)
      .map(({ member }) => member);
    await writeFile(`${path}.new`, JSON.stringify({ members }));
    await rename(`${path}.new`, path);
  }
}
