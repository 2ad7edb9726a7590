import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { isFailure } from './answer-parent.js';

/** A process of the bench that answers questions, one at a time. It ends with this one. */
export class Child<Question, Answer> {
  readonly #process: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#process = child;
  }

  /**
   * Resolves when it has said its first word.
   *
   * @param args what it finds in `process.argv`.
   */
  static async start<Question, Answer>(
    script: URL,
    args: readonly string[],
    execArgv: readonly string[] = [],
  ): Promise<Child<Question, Answer>> {
    const child = new Child<Question, Answer>(
      fork(fileURLToPath(script), args, {
        execArgv: [...process.execArgv, ...execArgv],
        serialization: 'advanced',
        // a group of its own: Ctrl-C is for this process, which decides what is still to be done
        detached: true,
      }),
    );
    await child.#next();
    return child;
  }

  get pid(): number {
    return this.#process.pid!;
  }

  /**
   * @param T when this question has an answer of its own.
   * @throws Error (rejects) when it has ended, or with why it cannot answer.
   */
  async ask<T = Answer>(question: Question): Promise<T> {
    if (!this.#process.connected) throw this.#ended(this.#process.exitCode);
    const answer = this.#next();
    this.#process.send(question as object);
    return (await answer) as T;
  }

  /** May be called when it has ended by itself, and twice. */
  stop(): void {
    if (this.#process.connected) this.#process.disconnect();
  }

  #ended(code: number | null): Error {
    return new Error(`${this.#process.spawnargs.join(' ')} ended with ${code}`);
  }

  async #next(): Promise<unknown> {
    const given = new AbortController();
    const { signal } = given;
    const died = once(this.#process, 'exit', { signal }).then(([code]) => {
      throw this.#ended(code);
    });
    try {
      const [answer] = await Promise.race([once(this.#process, 'message', { signal }), died]);
      if (isFailure(answer)) throw new Error(answer.failure);
      return answer;
    } finally {
      given.abort();
      died.catch(() => {});
    }
  }
}
