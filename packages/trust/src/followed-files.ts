import { statSync } from 'node:fs';

/** Where it is said that a file was read again, or cannot be. */
export interface FileLog {
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
}

const pollMs = 1000;

/** Files that are looked at each second, whether they are still what they were when this was made. */
export class FollowedFiles {
  readonly #paths: readonly string[];
  #seen: string;
  #timer: NodeJS.Timeout | undefined;

  /** Make it before the files are read: what changes meanwhile is a change. */
  constructor(paths: readonly string[]) {
    this.#paths = paths;
    this.#seen = this.#stamp();
  }

  /** Calls back after one of them has changed, or is another one, as when a link leads elsewhere. Call once. */
  follow(changed: () => void): void {
    this.#timer = setInterval(() => {
      const stamp = this.#stamp();
      if (stamp === this.#seen) return;
      this.#seen = stamp;
      changed();
    }, pollMs).unref();
  }

  /** Looks no more. May be called twice. */
  close(): void {
    clearInterval(this.#timer);
  }

  #stamp(): string {
    return this.#paths.map(stampOf).join(', ');
  }
}

/** Tells one state of a file from another; while it cannot be looked at, why not. */
function stampOf(path: string): string {
  try {
    const { ino, mtimeNs, ctimeNs, size } = statSync(path, { bigint: true });
    return `${ino} ${mtimeNs} ${ctimeNs} ${size}`;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}
