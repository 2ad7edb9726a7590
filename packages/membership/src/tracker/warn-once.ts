import type { Log } from '../log/log.js';

/** Reasons that are remembered; when there are more, all may be said again. */
const maxRemembered = 1_000;

/** Writes each pair of id and reason to the log once, however often it is seen. */
export class WarnOnce {
  readonly #log: Log;
  readonly #said = new Set<string>();

  constructor(log: Log) {
    this.#log = log;
  }

  warn(fields: { readonly id: string; readonly reason: string }, text: string): void {
    const key = `${fields.id} ${fields.reason}`;
    if (this.#said.has(key)) return;
    if (this.#said.size >= maxRemembered) this.#said.clear();
    this.#said.add(key);
    this.#log.warn(fields, text);
  }
}
