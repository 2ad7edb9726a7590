import type { MembershipListener, MembersView } from './contract.js';

/**
 * The watches on one source. Each gets the first view and then every one whose digest differs from the last
 * that it got; one that begins late gets the newest view. Listeners run in a microtask of their own, so that
 * neither `watch` nor the source ever runs inside them; what one throws is reported as an uncaught exception.
 */
export class Watchers {
  readonly #listeners = new Map<
    symbol,
    { readonly listener: MembershipListener; seen: string | undefined }
  >();
  #newest: MembersView | undefined;

  get size(): number {
    return this.#listeners.size;
  }

  /** The newest view; undefined before the first. */
  get newest(): MembersView | undefined {
    return this.#newest;
  }

  add(listener: MembershipListener): () => void {
    const key = Symbol('watch');
    this.#listeners.set(key, { listener, seen: undefined });
    if (this.#newest !== undefined) this.#tell(key);
    return () => {
      this.#listeners.delete(key);
    };
  }

  /** @param isRead whether the source was read, rather than something else learned about its members. */
  publish(view: MembersView, isRead = true): void {
    this.#newest = view;
    for (const key of this.#listeners.keys()) this.#tell(key, isRead);
  }

  trouble(error: Error): void {
    for (const key of this.#listeners.keys()) {
      queueMicrotask(() => this.#listeners.get(key)?.listener.trouble(error));
    }
  }

  conflict(entry: { readonly id: string; readonly reason: string }): void {
    for (const key of this.#listeners.keys()) {
      queueMicrotask(() => this.#listeners.get(key)?.listener.conflict?.(entry));
    }
  }

  /** The source was read and nothing changed. */
  fresh(): void {
    for (const key of this.#listeners.keys()) {
      queueMicrotask(() => this.#listeners.get(key)?.listener.fresh());
    }
  }

  /** Forgets the newest view: whoever watches next waits for a new one. */
  forget(): void {
    this.#newest = undefined;
  }

  clear(): void {
    this.#listeners.clear();
  }

  #tell(key: symbol, isRead = true): void {
    queueMicrotask(() => {
      const watch = this.#listeners.get(key);
      const view = this.#newest;
      if (watch === undefined || view === undefined) return;
      // what was left out is part of what a watcher is told, but no change of the members
      const seen = `${view.digest} ${view.ignored.map(({ id, reason }) => `${id}: ${reason}`).join('\n')}`;
      if (watch.seen !== seen) {
        watch.seen = seen;
        watch.listener.view(view);
      }
      // whoever listens may have ended the watch
      if (isRead) this.#listeners.get(key)?.listener.fresh();
    });
  }
}

/** Resolves when the watchers have been told of everything published so far. */
export function told(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
