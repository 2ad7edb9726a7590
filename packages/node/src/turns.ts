/** What a task holds on to beside the bytes of its message, about. */
export const taskBytes = 256;

export interface TurnsLimits {
  /** Most tasks that wait or run for one user. */
  readonly maxPerUser: number;
  /** Most bytes that wait or run for one user, and for all of them. */
  readonly maxBytesPerUser: number;
  readonly maxBytes: number;
}

interface Line {
  bytes: number;
  readonly tasks: { readonly bytes: number; readonly run: () => unknown }[];
}

/**
 * Runs tasks one after the other for each user, and the users beside one another. A task that returns no promise
 * is over at once, and no queue is made for it.
 */
export class Turns {
  readonly #limits: TurnsLimits;
  readonly #lines = new Map<string, Line>();
  #bytes = 0;

  constructor(limits: TurnsLimits) {
    this.#limits = limits;
  }

  /** Users with a task that is not over. */
  get users(): number {
    return this.#lines.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * @param bytes what the task holds on to; 0 for one that must not be refused.
   * @param run deals with its own failures: it neither throws nor rejects.
   * @returns `false`, and nothing is done, when a bound is reached.
   */
  add(user: string, bytes: number, run: () => unknown): boolean {
    const line = this.#lines.get(user);
    const { maxPerUser, maxBytesPerUser, maxBytes } = this.#limits;
    const isOver = (line?.bytes ?? 0) + bytes > maxBytesPerUser || this.#bytes + bytes > maxBytes;
    if (isOver && bytes > 0) return false;
    if (line === undefined) {
      const running = run();
      if (running instanceof Promise) this.#start(user, bytes, running);
      return true;
    }
    if (line.tasks.length >= maxPerUser && bytes > 0) return false;
    line.tasks.push({ bytes, run });
    line.bytes += bytes;
    this.#bytes += bytes;
    return true;
  }

  #start(user: string, bytes: number, running: Promise<unknown>): void {
    const line: Line = { bytes, tasks: [] };
    this.#bytes += bytes;
    this.#lines.set(user, line);
    void this.#run(user, line, bytes, running);
  }

  async #run(user: string, line: Line, firstBytes: number, first: Promise<unknown>): Promise<void> {
    await first;
    this.#over(line, firstBytes);
    for (let task = line.tasks.shift(); task !== undefined; task = line.tasks.shift()) {
      await task.run();
      this.#over(line, task.bytes);
    }
    this.#lines.delete(user);
  }

  #over(line: Line, bytes: number): void {
    line.bytes -= bytes;
    this.#bytes -= bytes;
  }
}
