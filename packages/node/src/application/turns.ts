/** What a task holds on to beside the bytes of its message, about. */
export const taskBytes = 256;

export interface TurnsLimits {
  /** Most tasks that wait or run for one user. */
  readonly maxPerUser: number;
  /** Most bytes that wait or run for one user, and for all of them. */
  readonly maxBytesPerUser: number;
  readonly maxBytes: number;
}

interface Task {
  readonly bytes: number;
  readonly run: () => unknown;
  /** Whether it is dropped when the user leaves: somebody else will do it. */
  readonly stays: boolean;
}

interface Line {
  bytes: number;
  tasks: Task[];
  /** The task that is under way; resolves when it is over. */
  running: Promise<void> | undefined;
  /** Nothing more begins. */
  isHeld: boolean;
}

/**
 * Runs tasks one after the other for each user, and the users beside one another. A task that returns no promise
 * is over at once, and no queue is made for it.
 */
export class Turns {
  readonly #limits: TurnsLimits;
  readonly #lines = new Map<string, Line>();
  #bytes = 0;
  #staying = 0;

  constructor(limits: TurnsLimits) {
    this.#limits = limits;
  }

  /** Users with a task that is not over, or who are held. */
  get users(): number {
    return this.#lines.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Tasks that wait or run and that nobody else would do. */
  get staying(): number {
    return this.#staying;
  }

  /**
   * @param bytes what the task holds on to; 0 for one that must not be refused.
   * @param run deals with its own failures: it neither throws nor rejects.
   * @param stays whether it is done here even when the user has left.
   * @returns `false`, and nothing is done, when a bound is reached.
   */
  add(user: string, bytes: number, run: () => unknown, stays = true): boolean {
    const line = this.#lines.get(user);
    const { maxPerUser, maxBytesPerUser, maxBytes } = this.#limits;
    const isOver = (line?.bytes ?? 0) + bytes > maxBytesPerUser || this.#bytes + bytes > maxBytes;
    if (isOver && bytes > 0) return false;
    if (line === undefined) {
      const running = run();
      if (running instanceof Promise) this.#start(user, { bytes, run, stays }, running);
      return true;
    }
    if (line.tasks.length >= maxPerUser && bytes > 0) return false;
    const task = { bytes, run, stays };
    line.tasks.push(task);
    this.#takes(line, task);
    return true;
  }

  /** Begins nothing more for the user; a promise when a task is under way, which resolves when it is over. */
  hold(user: string): Promise<void> | undefined {
    let line = this.#lines.get(user);
    if (line === undefined) {
      line = { bytes: 0, tasks: [], running: undefined, isHeld: true };
      this.#lines.set(user, line);
    }
    line.isHeld = true;
    return line.running;
  }

  /** Goes on with what waits, or only with what must be done here. */
  letGo(user: string, hasLeft: boolean): void {
    const line = this.#lines.get(user);
    if (line === undefined || !line.isHeld) return;
    line.isHeld = false;
    if (hasLeft) {
      for (const task of line.tasks) if (!task.stays) this.#over(line, task);
      line.tasks = line.tasks.filter(({ stays }) => stays);
    }
    if (line.running === undefined) this.#next(user, line);
  }

  #start(user: string, task: Task, running: Promise<unknown>): void {
    const line: Line = { bytes: 0, tasks: [], running: undefined, isHeld: false };
    this.#takes(line, task);
    this.#lines.set(user, line);
    this.#follow(user, line, task, running);
  }

  #follow(user: string, line: Line, task: Task, running: Promise<unknown>): void {
    line.running = running.then(() => {
      line.running = undefined;
      this.#over(line, task);
      this.#next(user, line);
    });
  }

  #next(user: string, line: Line): void {
    while (!line.isHeld) {
      const task = line.tasks.shift();
      if (task === undefined) {
        this.#lines.delete(user);
        return;
      }
      const running = task.run();
      if (running instanceof Promise) {
        this.#follow(user, line, task, running);
        return;
      }
      this.#over(line, task);
    }
  }

  #takes(line: Line, { bytes, stays }: Task): void {
    line.bytes += bytes;
    this.#bytes += bytes;
    if (stays) this.#staying++;
  }

  #over(line: Line, { bytes, stays }: Task): void {
    line.bytes -= bytes;
    this.#bytes -= bytes;
    if (stays) this.#staying--;
  }
}
